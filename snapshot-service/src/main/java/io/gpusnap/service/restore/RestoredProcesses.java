package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.workload.Workloads;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Notes what came of restores, whichever kind of operation did them. */
@Service
@Transactional(propagation = Propagation.MANDATORY)
public class RestoredProcesses {
    private final RestoreRepository restores;
    private final Workloads workloads;
    private final RestoreMetrics metrics;
    private final DatabaseClock clock;

    RestoredProcesses(RestoreRepository restores, Workloads workloads, RestoreMetrics metrics, DatabaseClock clock) {
        this.restores = restores;
        this.workloads = workloads;
        this.metrics = metrics;
        this.clock = clock;
    }

    /** The process of the operation's restore is back. */
    public void thawed(Operation operation, Completion.ThawResult result) {
        Restore restore = of(operation);
        WorkloadId workload =
                workloads.appeared(operation.nodeId(), result.pid(), result.startTimeTicks(), result.workloadName());
        restore.thawed(workload, result, clock.now());
        restores.saveAndFlush(restore);
        metrics.thawed(operation.engine(), result.seconds());
        metrics.ended(Restore.Outcome.RESTORED);
    }

    /** The operation failed, and there is no other way. */
    public void failed(Operation operation) {
        Restore restore = of(operation);
        restore.failed(clock.now());
        restores.saveAndFlush(restore);
        metrics.ended(Restore.Outcome.FAILED);
    }

    public void cancelled(Operation operation) {
        Restore restore = of(operation);
        restore.cancelled(clock.now());
        restores.saveAndFlush(restore);
        metrics.ended(Restore.Outcome.CANCELLED);
    }

    Restore of(Operation operation) {
        return restores.findById(operation.restoreId().orElseThrow().value())
                .orElseThrow(() -> new IllegalStateException("operation " + operation.id() + " has no restore"));
    }
}
