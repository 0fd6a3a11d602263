package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.Workloads;
import java.util.Optional;
import org.springframework.stereotype.Component;

/** Says of a snapshot that a caller named why it cannot come back. */
@Component
class NamedSnapshots {
    private final Snapshots snapshots;
    private final RestoreRepository restores;
    private final Workloads workloads;

    NamedSnapshots(Snapshots snapshots, RestoreRepository restores, Workloads workloads) {
        this.snapshots = snapshots;
        this.restores = restores;
        this.workloads = workloads;
    }

    /** @throws ApiException SNAPSHOT_NOT_READY, SNAPSHOT_QUARANTINED, CONFLICT, WORKLOAD_LOST */
    void requireUsable(SnapshotId id) {
        Snapshot snapshot = snapshots.lockReady(id);
        if (snapshot.engine() == Engine.SUSPEND) {
            requireNotResumed(snapshot);
            requireProcess(snapshot);
        }
    }

    /** @throws ApiException CONFLICT */
    void requireNotResumed(Snapshot snapshot) {
        if (snapshot.engine() == Engine.SUSPEND
                && restores.existsBySnapshotIdAndThawSecondsNotNull(
                        snapshot.id().value())) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    "Snapshot " + snapshot.id() + " was resumed already; a suspend snapshot comes back once.");
        }
    }

    private void requireProcess(Snapshot snapshot) {
        Optional<Workload> process = snapshot.workloadId().flatMap(workloads::find);
        if (process.isEmpty() || !process.get().state().mayExist()) {
            throw new ApiException(
                    ErrorCode.WORKLOAD_LOST,
                    "The process that snapshot " + snapshot.id()
                            + " suspended is gone, and a suspend snapshot has nothing else to come back from.");
        }
    }
}
