package io.gpusnap.service.switchover;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.restore.RestoredProcesses;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.snapshot.SwitchSnapshots;
import io.gpusnap.service.workload.Workloads;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/** What the end of a SWITCH means: for who came back, for who made room, and for the candidates that did not have to. */
@Component
class SwitchOutcomes implements OperationOutcomes {
    /** By then the other process serves: what fails there says nothing of its snapshot. */
    private static final String KEEPING = "store";

    private final SwitchSnapshots candidates;
    private final Copies copies;
    private final RestoredProcesses restores;
    private final Workloads workloads;
    private final Operations operations;
    private final SwitchMetrics metrics;

    SwitchOutcomes(
            SwitchSnapshots candidates,
            Copies copies,
            RestoredProcesses restores,
            Workloads workloads,
            Operations operations,
            SwitchMetrics metrics) {
        this.candidates = candidates;
        this.copies = copies;
        this.restores = restores;
        this.workloads = workloads;
        this.operations = operations;
        this.metrics = metrics;
    }

    @Override
    public Set<OperationKind> kinds() {
        return Set.of(OperationKind.SWITCH);
    }

    @Override
    public Outcome settle(Operation operation, Outcome outcome, boolean workloadLost) {
        if (workloadLost) {
            operation.workloadId().ifPresent(workloads::markGone);
        }
        return switch (outcome) {
            case Outcome.Switched switched -> switched(operation, switched);
            case Outcome.SwitchedInPart part -> {
                make(operation, part.made());
                metrics.ended("failed");
                yield part;
            }
            case Outcome.Failed failed -> {
                if (Snapshots.condemns(failed.failure())
                        && !KEEPING.equals(failed.failure().stage())) {
                    copies.damagedOn(operation.nodeId(), operation.snapshotId(), failed.failure());
                }
                stay(operation, Set.of());
                restores.failed(operation);
                metrics.ended("failed");
                yield failed;
            }
            case Outcome.Cancelled cancelled -> {
                stay(operation, Set.of());
                restores.cancelled(operation);
                metrics.ended("cancelled");
                yield cancelled;
            }
            case Outcome.Saved saved -> throw new IllegalStateException("a SWITCH cannot end as a SAVE");
            case Outcome.Thawed thawed -> throw new IllegalStateException("a SWITCH cannot end as a THAW");
            case Outcome.OfTier work -> throw new IllegalStateException("a SWITCH cannot end as work on a tier");
            case Outcome.Done done -> throw new IllegalStateException("a SWITCH cannot end without a result");
        };
    }

    private Outcome switched(Operation operation, Outcome.Switched switched) {
        Optional<Failure> refused = make(operation, switched);
        if (refused.isPresent()) {
            metrics.ended("failed");
            return new Outcome.Failed(refused.get());
        }
        metrics.switched(switched.result());
        return switched;
    }

    /** Returns why a snapshot of one who made room FAILED, if one did. */
    private Optional<Failure> make(Operation operation, Outcome.Switched switched) {
        restores.thawed(operation, switched.result());
        Set<SnapshotId> own = candidatesOf(operation);
        List<Completion.SuspendResult> made = switched.suspended().stream()
                .filter(suspended -> own.contains(suspended.snapshotId()))
                .toList();
        Optional<Failure> refused = made.stream()
                .map(suspended -> candidates.made(operation.nodeId(), suspended))
                .flatMap(Optional::stream)
                .reduce((first, second) -> first);
        stay(operation, made.stream().map(Completion.SuspendResult::snapshotId).collect(Collectors.toSet()));
        return refused;
    }

    private void stay(Operation operation, Set<SnapshotId> butNot) {
        candidatesOf(operation).stream()
                .filter(candidate -> !butNot.contains(candidate))
                .forEach(candidate -> candidates.notMade(candidate, "The switch that was to suspend it did not."));
    }

    private Set<SnapshotId> candidatesOf(Operation operation) {
        return operations.switchOf(operation).candidates().stream()
                .map(OperationSpec.SwitchCandidate::snapshotId)
                .collect(Collectors.toSet());
    }
}
