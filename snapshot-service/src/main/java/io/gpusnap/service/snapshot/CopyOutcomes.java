package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.DamageListener;
import io.gpusnap.service.operation.DamagedCopy;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationOutcomes;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.tier.LostObjects;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.StoreObjects;
import io.gpusnap.service.tier.Stores;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What the end of a TRANSFER, an EVICT or a SCRUB means for the copies that it was about. */
@Component
class CopyOutcomes implements OperationOutcomes, DamageListener, LostObjects {
    private final Snapshots snapshots;
    private final LocationStore locations;
    private final FailedRemovals failedRemovals;
    private final Copies copies;
    private final Stores stores;
    private final StoreObjects objects;
    private final Operations operations;
    private final CopyMetrics metrics;

    CopyOutcomes(
            Snapshots snapshots,
            LocationStore locations,
            FailedRemovals failedRemovals,
            Copies copies,
            Stores stores,
            StoreObjects objects,
            Operations operations,
            CopyMetrics metrics) {
        this.snapshots = snapshots;
        this.locations = locations;
        this.failedRemovals = failedRemovals;
        this.copies = copies;
        this.stores = stores;
        this.objects = objects;
        this.operations = operations;
        this.metrics = metrics;
    }

    @Override
    public Set<OperationKind> kinds() {
        return Set.of(OperationKind.TRANSFER, OperationKind.EVICT, OperationKind.SCRUB);
    }

    @Override
    public Outcome settle(Operation operation, Outcome outcome, boolean workloadLost) {
        if (outcome instanceof Outcome.OfTier(TierResult result)) {
            return switch (result) {
                case TierResult.Transferred transferred -> transferred(operation, outcome, transferred);
                case TierResult.Evicted evicted -> {
                    evicted(operation);
                    yield outcome;
                }
                case TierResult.Scrubbed scrubbed -> {
                    scrubbed(operation, scrubbed);
                    yield outcome;
                }
                case TierResult.Swept swept ->
                    throw new IllegalStateException("a " + operation.kind() + " cannot end as a SWEEP");
            };
        }
        undone(operation, outcome);
        return outcome;
    }

    @Override
    public void found(Operation operation, DamagedCopy damaged) {
        stores.reportedAs(operation.nodeId(), damaged.storeId())
                .ifPresent(tier -> copies.damaged(damaged.snapshotId(), tier.storeId(), damaged.detail()));
    }

    @Override
    public void lacking(StoreId store, SnapshotId snapshot) {
        copies.damaged(snapshot, store, "An object that the copy needs is not in the store.");
    }

    private Outcome transferred(Operation operation, Outcome outcome, TierResult.Transferred result) {
        SnapshotId id = operation.snapshotId();
        Store store = stores.get(storeOf(operation));
        Snapshot snapshot = snapshots.lock(id);
        if (snapshot.state() != SnapshotState.READY) {
            locations.remove(id, store.id(), LocationState.COPYING);
            return new Outcome.Failed(Failure.of(
                    ErrorCode.SNAPSHOT_NOT_READY, "The snapshot is " + snapshot.state() + " by now.", null, false));
        }
        if (store.kind().shared()) {
            List<TierResult.StoredObject> needed = Objects.requireNonNullElse(result.objects(), List.of());
            if (!objects.reference(store.id(), id, needed)) {
                locations.remove(id, store.id(), LocationState.COPYING);
                return new Outcome.Failed(Failure.of(
                        ErrorCode.OBJECT_GONE,
                        "An object that the copy was to share is being swept from store " + store.id() + ".",
                        null,
                        true));
            }
        }
        locations.putPresent(id, store.id(), operation.nodeId(), result.copyBytes());
        metrics.moved(store.kind(), result.bytesMoved(), result.bytesStored());
        return outcome;
    }

    private void evicted(Operation operation) {
        locations.remove(operation.snapshotId(), storeOf(operation), LocationState.REMOVING);
    }

    private void scrubbed(Operation operation, TierResult.Scrubbed result) {
        StoreId store = storeOf(operation);
        locations.verified(
                result.snapshots().stream()
                        .filter(one -> one.verdict() == TierResult.Verdict.GOOD)
                        .toList(),
                store);
        result.snapshots().stream()
                .filter(one -> one.verdict() == TierResult.Verdict.UNREADABLE)
                .forEach(one -> locations.unread(
                        one.snapshotId(),
                        store,
                        Objects.requireNonNullElse(one.unread(), TierResult.Unread.NO_ANSWER)));
        // A copy that came while the scrub was under way is another one than it looked for.
        result.snapshots().stream()
                .filter(one -> locations.presentSince(one.snapshotId(), store, operation.createdAt()))
                .sorted(java.util.Comparator.comparing(one -> one.snapshotId().value()))
                .filter(one -> switch (one.verdict()) {
                    case CORRUPT, MISSING -> true;
                    case GOOD, UNREADABLE -> false;
                })
                .forEach(bad -> copies.damaged(
                        bad.snapshotId(),
                        store,
                        "A scrub found it " + bad.verdict() + ": "
                                + Objects.requireNonNullElse(bad.detail(), "no detail")));
        metrics.scrubbed(stores.get(store).kind(), result.bytesRead());
    }

    /** The move did not happen. What a TRANSFER found wrong in its source it says of that. */
    private void undone(Operation operation, Outcome outcome) {
        switch (operation.kind()) {
            case TRANSFER -> {
                snapshots.lock(operation.snapshotId());
                locations.remove(operation.snapshotId(), storeOf(operation), LocationState.COPYING);
                TierSpec.TierRef from = operations.transferOf(operation).from();
                if (from != null && outcome instanceof Outcome.Failed(Failure why) && Snapshots.condemns(why)) {
                    stores.reportedAs(operation.nodeId(), from.storeId())
                            .ifPresent(tier -> copies.damaged(operation.snapshotId(), tier.storeId(), why.detail()));
                }
            }
            case EVICT -> {
                snapshots.lock(operation.snapshotId());
                if (operation.attempt() == 0) {
                    locations.endRemoval(operation.snapshotId(), storeOf(operation)); // no node ever had it
                } else {
                    failedRemovals.failed(operation.snapshotId(), storeOf(operation));
                }
            }
            case SCRUB -> {
                // nothing was learned
            }
            case SAVE, THAW, SWITCH, VERIFY, DELETE, SWEEP ->
                throw new IllegalStateException("a " + operation.kind() + " is not about a copy");
        }
    }

    private static StoreId storeOf(Operation operation) {
        return operation.storeId().orElseThrow();
    }
}
