package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.workload.Workloads;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Notes what came of a restore. */
@Service
public class RestoredProcesses {
    private final RestoreRepository restores;
    private final Workloads workloads;
    private final RestoreMetrics metrics;

    RestoredProcesses(RestoreRepository restores, Workloads workloads, RestoreMetrics metrics) {
        this.restores = restores;
        this.workloads = workloads;
        this.metrics = metrics;
    }

    /** The process of the operation's restore is back. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void thawed(Operation operation, Completion.ThawResult result) {
        Restore restore = restores.findById(operation.restoreId().orElseThrow().value())
                .orElseThrow(() -> new IllegalStateException("operation " + operation.id() + " has no restore"));
        WorkloadId workload =
                workloads.appeared(operation.nodeId(), result.pid(), result.startTimeTicks(), result.workloadName());
        restore.thawed(workload, result);
        restores.saveAndFlush(restore);
        metrics.thawed(operation.engine(), result.seconds());
    }
}
