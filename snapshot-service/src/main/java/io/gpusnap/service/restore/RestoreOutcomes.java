package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workloads;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What the end of a THAW means. */
@Component
class RestoreOutcomes implements OperationOutcomes {
    private final RestoredProcesses restores;
    private final Snapshots snapshots;
    private final Workloads workloads;

    RestoreOutcomes(RestoredProcesses restores, Snapshots snapshots, Workloads workloads) {
        this.restores = restores;
        this.snapshots = snapshots;
        this.workloads = workloads;
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
            case Outcome.Thawed thawed -> restores.thawed(operation, thawed.result());
            case Outcome.Failed failed
            when Snapshots.condemns(failed.failure()) -> snapshots.quarantine(operation.snapshotId(), failed.failure());
            case Outcome.Failed failed -> {
                // the snapshot itself is as good as before
            }
            case Outcome.Cancelled cancelled -> {
                // nothing came of it
            }
            case Outcome.Saved saved -> throw new IllegalStateException("a THAW cannot end as a SAVE");
            case Outcome.Switched switched -> throw new IllegalStateException("a THAW cannot end as a SWITCH");
            case Outcome.SwitchedInPart part -> throw new IllegalStateException("a THAW cannot end as a SWITCH");
            case Outcome.Done done -> throw new IllegalStateException("a THAW cannot end without a result");
        }
        return outcome;
    }
}
