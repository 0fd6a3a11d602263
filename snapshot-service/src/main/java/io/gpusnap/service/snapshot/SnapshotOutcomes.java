package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.workload.Workloads;
import java.time.Instant;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What the end of a SAVE, VERIFY or DELETE means for its snapshot. */
@Component
class SnapshotOutcomes implements OperationOutcomes {
    private final Snapshots snapshots;
    private final SnapshotRepository repository;
    private final Deletion deletion;
    private final FailedDeletions failedDeletions;
    private final SnapshotCommits commits;
    private final Copies copies;
    private final Workloads workloads;
    private final DatabaseClock clock;

    SnapshotOutcomes(
            Snapshots snapshots,
            SnapshotRepository repository,
            Deletion deletion,
            FailedDeletions failedDeletions,
            SnapshotCommits commits,
            Copies copies,
            Workloads workloads,
            DatabaseClock clock) {
        this.snapshots = snapshots;
        this.repository = repository;
        this.deletion = deletion;
        this.failedDeletions = failedDeletions;
        this.commits = commits;
        this.copies = copies;
        this.workloads = workloads;
        this.clock = clock;
    }

    @Override
    public Set<OperationKind> kinds() {
        return Set.of(OperationKind.SAVE, OperationKind.VERIFY, OperationKind.DELETE);
    }

    @Override
    public Outcome settle(Operation operation, Outcome outcome, boolean workloadLost) {
        Snapshot snapshot = snapshots.lock(operation.snapshotId());
        if (workloadLost) {
            operation.workloadId().ifPresent(workloads::markGone);
        }
        Instant now = clock.now();
        Outcome standing = switch (outcome) {
            case Outcome.Saved saved -> commit(snapshot, operation, saved, now);
            case Outcome.Done done -> done(snapshot, operation, done, now);
            case Outcome.Failed failed -> {
                failed(snapshot, operation, failed.failure(), now);
                yield failed;
            }
            case Outcome.Cancelled cancelled -> {
                failed(
                        snapshot,
                        operation,
                        Failure.of(ErrorCode.CANCELLED, "The operation was cancelled.", null, true),
                        now);
                yield cancelled;
            }
            case Outcome.Thawed thawed ->
                throw new IllegalStateException("a " + operation.kind() + " cannot end as a THAW");
            case Outcome.Switched switched ->
                throw new IllegalStateException("a " + operation.kind() + " cannot end as a SWITCH");
            case Outcome.OfTier work ->
                throw new IllegalStateException("a " + operation.kind() + " cannot end as work on a tier");
            case Outcome.SwitchedInPart part ->
                throw new IllegalStateException("a " + operation.kind() + " cannot end as a SWITCH");
        };
        repository.saveAndFlush(snapshot);
        return standing;
    }

    private Outcome commit(Snapshot snapshot, Operation operation, Outcome.Saved saved, Instant now) {
        return commits.commit(snapshot, operation.nodeId(), operation.workloadId(), saved.result(), now)
                .<Outcome>map(Outcome.Failed::new)
                .orElse(saved);
    }

    private Outcome done(Snapshot snapshot, Operation operation, Outcome.Done done, Instant now) {
        switch (operation.kind()) {
            case VERIFY -> snapshot.verified(now);
            case DELETE -> {
                deletion.doneOn(snapshot, operation.nodeId(), now);
            }
            case SAVE, THAW, SWITCH, TRANSFER, EVICT, SWEEP, SCRUB ->
                throw new IllegalStateException("a " + operation.kind() + " cannot end without a result");
        }
        return done;
    }

    private void failed(Snapshot snapshot, Operation operation, Failure failure, Instant now) {
        switch (operation.kind()) {
            case SAVE -> snapshot.fail(failure, now);
            case VERIFY -> {
                if (Snapshots.condemns(failure)) {
                    copies.damagedOn(operation.nodeId(), snapshot.id(), failure);
                }
            }
            case DELETE -> {
                // Also where the node is lost: many may be given up in this transaction, and each deletion has to end
                // in one of its own.
                if (snapshot.state() == SnapshotState.DELETING) {
                    failedDeletions.failed(snapshot.id(), operation.nodeId(), failure);
                }
            }
            case THAW, SWITCH, TRANSFER, EVICT, SWEEP, SCRUB ->
                throw new IllegalStateException("a " + operation.kind() + " is not the snapshots' own");
        }
    }
}
