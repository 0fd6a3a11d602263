package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A store as one node sees it.
 *
 * @param reportedStore what the node calls the store; null from nodes that do not say, which are given no work on it
 * @param capacityBytes 0 for a store without bound
 * @param healthReason why it is not HEALTHY
 */
public record NodeTier(
        NodeId nodeId,
        StoreId storeId,
        Inventory.TierKind kind,
        String name,
        @Nullable StoreId reportedStore,
        long capacityBytes,
        long freeBytes,
        long usedBytes,
        Inventory.TierHealth health,
        @Nullable String healthReason) {

    /** Whether bytes can be asked of it. */
    public boolean usable() {
        return health != Inventory.TierHealth.UNHEALTHY;
    }

    /** As operations name it; empty for a node that does not identify its stores. */
    public Optional<TierSpec.TierRef> ref() {
        return Optional.ofNullable(reportedStore).map(store -> new TierSpec.TierRef(name, store));
    }
}
