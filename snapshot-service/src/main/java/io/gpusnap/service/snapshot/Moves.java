package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.tier.NodeTier;
import io.gpusnap.service.tier.StoreObjects;
import io.gpusnap.service.tier.Stores;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/**
 * Makes and removes copies. Everything is checked under the snapshot's lock, which a restore takes too: so nobody begins to
 * read a copy between the look and the removal, and the last good copy of a snapshot is never removed.
 */
@Service
public class Moves {
    private final Snapshots snapshots;
    private final LocationStore locations;
    private final Stores stores;
    private final StoreObjects objects;
    private final Nodes nodes;
    private final Operations operations;
    private final MoveSettings settings;
    private final CopyGuard guard;
    private final CopyPromises promises;

    Moves(
            Snapshots snapshots,
            LocationStore locations,
            Stores stores,
            StoreObjects objects,
            Nodes nodes,
            Operations operations,
            CopyPromises promises,
            MoveSettings settings) {
        this.snapshots = snapshots;
        this.locations = locations;
        this.stores = stores;
        this.objects = objects;
        this.nodes = nodes;
        this.operations = operations;
        this.promises = promises;
        this.settings = settings;
        this.guard = new CopyGuard(operations::anyActive);
    }

    /**
     * A copy to be made.
     *
     * @param node who makes it
     * @param to a store that the node sees
     * @param from a store that the node sees and that has a copy; null: the node chooses
     */
    public record Copy(
            SnapshotId snapshot,
            NodeId node,
            StoreId to,
            @Nullable StoreId from,
            TransferPriority priority,
            String reason) {}

    /**
     * Queues a TRANSFER.
     *
     * @throws ApiException SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_READY, SNAPSHOT_QUARANTINED, NODE_SILENT, NODE_UNSCHEDULABLE,
     *     CAPABILITY_MISSING, TIER_MISMATCH, TIER_UNAVAILABLE, CONFLICT when there is a copy already or none to be read
     */
    @Transactional
    public Operation copy(Copy asked) {
        Snapshot snapshot = snapshots.lockReady(asked.snapshot());
        if (snapshot.engine() == Engine.SUSPEND) {
            throw conflict("A suspend snapshot is of use only where its process is.");
        }
        TierSpec.TierRef to = tier(asked.node(), asked.to(), "transfer");
        TierSpec.TierRef from = asked.from() == null ? null : tier(asked.node(), asked.from(), "transfer");
        requireSource(asked);
        if (!locations.beginCopy(asked.snapshot(), asked.to(), asked.reason())) {
            throw conflict(
                    "Store " + asked.to() + " has a copy of snapshot " + asked.snapshot() + ", or one is on its way.");
        }
        return queue(
                asked.node(),
                asked.to(),
                snapshot.engine(),
                new TierSpec.Transfer(
                        asked.snapshot(),
                        snapshot.manifestDigest().orElseThrow(),
                        from,
                        to,
                        asked.priority(),
                        settings.bytesPerSecond().toBytes() > 0
                                ? settings.bytesPerSecond().toBytes()
                                : null));
    }

    /**
     * Removes a copy: from a node's own store by an EVICT, from a shared one by no longer needing its objects, which the
     * store's next sweeps then find.
     *
     * @return the EVICT; empty for a shared store
     * @throws ApiException SNAPSHOT_NOT_FOUND; CONFLICT when there is no such copy, or it is the last good one; COPY_PROMISED
     *     when a tier policy would have too few then; IN_USE while an operation reads the snapshot; NODE_SILENT, NODE_UNSCHEDULABLE, CAPABILITY_MISSING, TIER_MISMATCH
     */
    @Transactional
    public Optional<Operation> remove(SnapshotId id, StoreId store, String reason) {
        Snapshot snapshot = snapshots.lock(id);
        List<Location> all = locations.of(id);
        Location location = all.stream()
                .filter(one -> one.storeId().equals(store))
                .findFirst()
                .orElseThrow(() -> conflict("Store " + store + " has no copy of snapshot " + id + "."));
        guard.requireRemovable(snapshot.state(), snapshot.engine(), location, all);
        promises.whyNeeded(snapshot, store).ifPresent(why -> {
            throw new ApiException(ErrorCode.COPY_PROMISED, why);
        });
        if (!locations.beginRemoval(id, store, location.state(), reason)) {
            throw conflict("The copy of snapshot " + id + " in store " + store + " changed meanwhile.");
        }
        if (location.node().isEmpty()) {
            objects.release(id, store);
            locations.remove(id, store, LocationState.REMOVING);
            return Optional.empty();
        }
        NodeId node = location.node().get();
        return Optional.of(queue(
                node,
                store,
                snapshot.engine(),
                new TierSpec.Evict(id, tier(node, store, "evict"), TransferPriority.BACKGROUND)));
    }

    private void requireSource(Copy asked) {
        Set<StoreId> open = locations.openTo(asked.node(), asked.snapshot());
        // Whether this node can read it is what counts; that the last scrub could not says little of that.
        boolean readable = locations.of(asked.snapshot()).stream()
                .filter(Location::good)
                .filter(copy -> asked.from() == null || copy.storeId().equals(asked.from()))
                .filter(copy -> open.contains(copy.storeId()))
                .flatMap(copy -> stores.of(asked.node(), copy.storeId()).stream())
                .anyMatch(NodeTier::usable);
        if (!readable) {
            throw conflict("The node sees no copy of snapshot " + asked.snapshot() + " that it could read.");
        }
    }

    private TierSpec.TierRef tier(NodeId id, StoreId store, String capability) {
        Node node = nodes.get(id);
        node.whyNot(capability).ifPresent(why -> {
            throw why;
        });
        NodeTier tier = stores.of(id, store)
                .orElseThrow(() -> new ApiException(
                        ErrorCode.TIER_MISMATCH, "Node " + node.name() + " does not see store " + store + "."));
        if (!tier.usable()) {
            throw new ApiException(
                    ErrorCode.TIER_UNAVAILABLE,
                    "Tier " + tier.name() + " of node " + node.name() + " is unhealthy: " + tier.healthReason());
        }
        return tier.ref()
                .orElseThrow(() -> new ApiException(
                        ErrorCode.TIER_MISMATCH,
                        "Node " + node.name() + " does not say which store is behind its tier " + tier.name() + "."));
    }

    private Operation queue(NodeId node, StoreId store, Engine engine, OperationSpec spec) {
        return operations.queue(
                new NewOperation(node, spec, engine, Optional.empty(), Optional.empty(), Optional.of(store)));
    }

    private static ApiException conflict(String detail) {
        return new ApiException(ErrorCode.CONFLICT, detail);
    }
}
