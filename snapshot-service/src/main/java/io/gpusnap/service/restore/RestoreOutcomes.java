package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workloads;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What the end of a THAW means. */
@Component
class RestoreOutcomes implements OperationOutcomes {
    private final RestoredProcesses restores;
    private final Fallback fallback;
    private final RestoreSettings settings;
    private final Snapshots snapshots;
    private final Copies copies;
    private final Workloads workloads;

    RestoreOutcomes(
            RestoredProcesses restores,
            Fallback fallback,
            RestoreSettings settings,
            Snapshots snapshots,
            Copies copies,
            Workloads workloads) {
        this.restores = restores;
        this.fallback = fallback;
        this.settings = settings;
        this.snapshots = snapshots;
        this.copies = copies;
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
            case Outcome.Thawed thawed -> {
                snapshots.thawSucceeded(operation.snapshotId());
                restores.thawed(operation, thawed.result());
            }
            case Outcome.Failed failed -> {
                judge(operation, failed.failure());
                fallback.failed(operation, failed.failure());
            }
            case Outcome.Cancelled cancelled -> restores.cancelled(operation);
            case Outcome.Saved saved -> throw new IllegalStateException("a THAW cannot end as a SAVE");
            case Outcome.Switched switched -> throw new IllegalStateException("a THAW cannot end as a SWITCH");
            case Outcome.SwitchedInPart part -> throw new IllegalStateException("a THAW cannot end as a SWITCH");
            case Outcome.OfTier work -> throw new IllegalStateException("a THAW cannot end as work on a tier");
            case Outcome.Done done -> throw new IllegalStateException("a THAW cannot end without a result");
        }
        return outcome;
    }

    /** Stored bytes that are wrong condemn the copy at once, and with the last one the snapshot; what may as well lie in the node, when it repeats itself. */
    private void judge(Operation operation, Failure failure) {
        if (Snapshots.condemns(failure)) {
            copies.damagedOn(operation.nodeId(), operation.snapshotId(), failure);
        } else if (mayLieInTheSnapshot(failure)) {
            snapshots.thawFailed(operation.snapshotId(), failure, settings.quarantineAfter());
        }
    }

    private static boolean mayLieInTheSnapshot(Failure failure) {
        return switch (failure.code()) {
            case CRIU_FAILED, DRIVER_FAILED, WORKLOAD_LOST, PROTOCOL_ERROR, ANSWER_WRONG, INTERNAL -> true;
            default -> false;
        };
    }
}
