package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workloads;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What the end of a THAW means. */
@Component
class RestoreOutcomes implements OperationOutcomes {
    private final RestoreRepository restores;
    private final Snapshots snapshots;
    private final Workloads workloads;
    private final RestoreMetrics metrics;

    RestoreOutcomes(RestoreRepository restores, Snapshots snapshots, Workloads workloads, RestoreMetrics metrics) {
        this.restores = restores;
        this.snapshots = snapshots;
        this.workloads = workloads;
        this.metrics = metrics;
    }

    @Override
    public Set<OperationKind> kinds() {
        return Set.of(OperationKind.THAW);
    }

    @Override
    public Outcome settle(Operation operation, Outcome outcome, boolean workloadLost) {
        if (workloadLost) {
            operation.workloadId().ifPresent(workloads::markGone);
        }
        switch (outcome) {
            case Outcome.Thawed thawed -> thawed(operation, thawed.result());
            case Outcome.Failed failed
            when Snapshots.condemns(failed.failure()) -> snapshots.quarantine(operation.snapshotId(), failed.failure());
            case Outcome.Failed failed -> {
                // the snapshot itself is as good as before
            }
            case Outcome.Cancelled cancelled -> {
                // nothing came of it
            }
            case Outcome.Saved saved -> throw new IllegalStateException("a THAW cannot end as a SAVE");
            case Outcome.Done done -> throw new IllegalStateException("a THAW cannot end without a result");
        }
        return outcome;
    }

    private void thawed(Operation operation, Completion.ThawResult result) {
        Restore restore = restores.findById(operation.restoreId().orElseThrow().value())
                .orElseThrow(() -> new IllegalStateException("operation " + operation.id() + " has no restore"));
        WorkloadId workload =
                workloads.appeared(operation.nodeId(), result.pid(), result.startTimeTicks(), result.workloadName());
        restore.thawed(workload, result);
        restores.saveAndFlush(restore);
        metrics.thawed(operation.engine(), result.seconds());
    }
}
