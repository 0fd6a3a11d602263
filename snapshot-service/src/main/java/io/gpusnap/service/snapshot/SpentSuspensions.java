package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.WorkloadId;
import java.time.Instant;
import org.springframework.stereotype.Component;

/**
 * Earlier snapshots of a process that is suspended as a new one. Nothing can be made of them: they have the memory of another moment
 * than the process. They stay until then, because what a process has in common with its last suspension is not stored again.
 */
@Component
class SpentSuspensions {
    private final SnapshotRepository repository;
    private final Operations operations;
    private final Deletion deletion;

    SpentSuspensions(SnapshotRepository repository, Operations operations, Deletion deletion) {
        this.repository = repository;
        this.operations = operations;
        this.deletion = deletion;
    }

    /** Queues their deletion. One that somebody works on stays until the process is suspended once more. */
    void delete(WorkloadId process, Snapshot current, Instant now) {
        for (Snapshot spent : repository.lockOthers(
                process.value(),
                current.engine().wireName(),
                SnapshotState.READY,
                current.id().value())) {
            if (!operations.anyActive(spent.id(), SnapshotCommands.USES)) {
                spent.beginDelete(now);
                repository.saveAndFlush(spent);
                deletion.begin(spent, now);
                repository.saveAndFlush(spent);
            }
        }
    }
}
