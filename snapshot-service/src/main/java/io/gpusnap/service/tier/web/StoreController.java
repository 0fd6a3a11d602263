package io.gpusnap.service.tier.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.tier.NodeTier;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.Stores;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Stores. */
@RestController
@RequestMapping("/api/v1/stores")
@Tag(name = "Stores", description = "What holds chunks: nodes' own memory and disks, shared directories, buckets")
class StoreController {
    private static final int MOST_NODES = 100;

    private final Stores stores;

    StoreController(Stores stores) {
        this.stores = stores;
    }

    /** A store; {@code nodeId} is whose own it is, absent for a shared one. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "Store")
    record StoreResource(
            StoreId id, Inventory.TierKind kind, @Nullable NodeId nodeId, Instant firstSeenAt) {
        static StoreResource of(Store store) {
            return new StoreResource(store.id(), store.kind(), store.node().orElse(null), store.firstSeenAt());
        }
    }

    /**
     * A store as one node sees it.
     *
     * @param name of the node's tier
     * @param capacityBytes 0 without bound
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "StoreView")
    record ViewResource(
            NodeId nodeId,
            String name,
            long capacityBytes,
            long freeBytes,
            long usedBytes,
            Inventory.TierHealth health,
            @Nullable String healthReason) {
        static ViewResource of(NodeTier tier) {
            return new ViewResource(
                    tier.nodeId(),
                    tier.name(),
                    tier.capacityBytes(),
                    tier.freeBytes(),
                    tier.usedBytes(),
                    tier.health(),
                    tier.healthReason());
        }
    }

    /** A store, and up to 100 of the nodes that see it. */
    @Schema(name = "StoreDetail")
    record DetailResource(StoreResource store, List<ViewResource> seenBy) {}

    @GetMapping
    @Operation(operationId = "listStores", summary = "List stores")
    Page<StoreResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        PageQuery query = PageQuery.of("stores", pageSize, pageToken);
        return Page.of(
                        query,
                        stores.list(query.afterId().map(StoreId::new).orElse(null), query.size() + 1),
                        store -> store.id().toString())
                .map(StoreResource::of);
    }

    @GetMapping("/{storeId}")
    @Operation(operationId = "getStore", summary = "Read a store")
    DetailResource get(@PathVariable StoreId storeId) {
        return new DetailResource(
                StoreResource.of(stores.get(storeId)),
                stores.seenBy(storeId, MOST_NODES).stream()
                        .map(ViewResource::of)
                        .toList());
    }
}
