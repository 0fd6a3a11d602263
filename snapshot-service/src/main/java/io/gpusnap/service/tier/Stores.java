package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Service;

/** Stores and who sees them, as callers and other features see them. */
@Service
public class Stores {
    private final StoreRepository stores;

    Stores(StoreRepository stores) {
        this.stores = stores;
    }

    /**
     * Reads a store.
     *
     * @throws ApiException STORE_NOT_FOUND
     */
    public Store get(StoreId id) {
        return stores.find(id)
                .orElseThrow(() -> new ApiException(ErrorCode.STORE_NOT_FOUND, "No store has the id " + id + "."));
    }

    /** By id, ascending. */
    public List<Store> list(@Nullable StoreId after, int limit) {
        return stores.list(after, false, limit);
    }

    /** Those that several nodes may see; by id, ascending. */
    public List<Store> shared(@Nullable StoreId after, int limit) {
        return stores.list(after, true, limit);
    }

    /** The store as its nodes see it; by node. */
    public List<NodeTier> seenBy(StoreId store, int limit) {
        return stores.tiersOf(store, limit);
    }

    public List<NodeTier> of(NodeId node) {
        return stores.tiersOf(node);
    }

    /** The tier of the node behind which this store is. */
    public Optional<NodeTier> of(NodeId node, StoreId store) {
        return of(node).stream().filter(tier -> tier.storeId().equals(store)).findFirst();
    }

    /** The tier of the node for which it uses this id or, for its own stores, reports it. */
    public Optional<NodeTier> reportedAs(NodeId node, StoreId reported) {
        return of(node).stream()
                .filter(tier -> reported.equals(tier.reportedStore()))
                .findFirst();
    }

    /** The id of a node's own store, which exists from then on. */
    public StoreId own(NodeId node, Inventory.TierKind kind) {
        stores.addOwn(node, kind);
        return Store.ownOf(node, kind);
    }
}
