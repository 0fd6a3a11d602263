package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.InventoryListener;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;
import org.springframework.stereotype.Component;

/** What nodes say of their tiers. Before all others that listen: they refer to the stores. */
@Component
@Order(Ordered.HIGHEST_PRECEDENCE)
class TierReports implements InventoryListener {
    private final StoreRepository stores;

    TierReports(StoreRepository stores) {
        this.stores = stores;
    }

    @Override
    public void told(NodeId node, Inventory inventory) {
        stores.replace(node, rows(node, inventory.tiers()));
    }

    /** One row a store, the last one reported: the statement must not write a row twice. */
    private static List<StoreRepository.Row> rows(NodeId node, List<Inventory.Tier> tiers) {
        Map<StoreId, StoreRepository.Row> rows = new LinkedHashMap<>();
        for (Inventory.Tier tier : tiers) {
            boolean shared = tier.kind().shared();
            StoreId reported = tier.storeId();
            if (shared && reported == null) {
                continue; // which store it is nobody can tell
            }
            StoreId id = shared ? Objects.requireNonNull(reported) : Store.ownOf(node, tier.kind());
            rows.put(
                    id,
                    new StoreRepository.Row(
                            id.value(),
                            tier.kind().name(),
                            shared ? null : node.value(),
                            tier.nameOrKind(),
                            reported == null ? null : reported.value(),
                            tier.capacityBytes(),
                            tier.freeBytes(),
                            tier.usedBytes(),
                            Objects.requireNonNullElse(tier.health(), Inventory.TierHealth.HEALTHY)
                                    .name(),
                            tier.healthReason()));
        }
        return List.copyOf(rows.values());
    }
}
