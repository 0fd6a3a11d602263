package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.InventoryListener;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
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
        Map<StoreId, StoreRepository.Row> known = new LinkedHashMap<>();
        Map<String, StoreRepository.Row> unknown = new LinkedHashMap<>();
        for (Inventory.Tier tier : tiers) {
            StoreId id = tier.kind().shared() ? tier.storeId() : Store.ownOf(node, tier.kind());
            StoreRepository.Row row = row(node, tier, id);
            if (id == null) {
                unknown.put(tier.nameOrKind(), row);
            } else {
                known.put(id, row);
            }
        }
        return Stream.concat(known.values().stream(), unknown.values().stream()).toList();
    }

    /** @param id null where nobody can tell which store it is */
    private static StoreRepository.Row row(NodeId node, Inventory.Tier tier, @Nullable StoreId id) {
        StoreId reported = tier.storeId();
        return new StoreRepository.Row(
                id == null ? null : id.value(),
                tier.kind().name(),
                tier.kind().shared() ? null : node.value(),
                tier.nameOrKind(),
                reported == null ? null : reported.value(),
                tier.capacityBytes(),
                tier.freeBytes(),
                tier.usedBytes(),
                Objects.requireNonNullElse(tier.health(), Inventory.TierHealth.HEALTHY)
                        .name(),
                tier.healthReason());
    }
}
