package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.InventoryListener;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.operation.TierSpec;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.Stores;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.springframework.stereotype.Component;

/** What nodes say of the snapshots in their own stores. */
@Component
class CopyReports implements InventoryListener {
    private final LocationStore locations;
    private final Stores stores;
    private final Nodes nodes;
    private final Operations operations;

    CopyReports(LocationStore locations, Stores stores, Nodes nodes, Operations operations) {
        this.locations = locations;
        this.stores = stores;
        this.nodes = nodes;
        this.operations = operations;
    }

    @Override
    public void told(NodeId node, Inventory inventory) {
        held(inventory, Inventory.TierKind.NVME).ifPresent(held -> {
            locations.replaceIn(stores.own(node, Inventory.TierKind.NVME), held);
            locations.unwantedOf(held).forEach(snapshot -> clear(node, snapshot));
        });
        held(inventory, Inventory.TierKind.MEMORY)
                .ifPresent(held -> locations.replaceIn(Store.ownOf(node, Inventory.TierKind.MEMORY), held));
    }

    /** What the node has whole in its own store of this kind; empty where it does not know. */
    static Optional<List<SnapshotId>> held(Inventory inventory, Inventory.TierKind kind) {
        return switch (kind) {
            case NVME -> Optional.ofNullable(inventory.snapshots());
            case MEMORY ->
                inventory.tiers().stream()
                        .filter(tier -> tier.kind() == Inventory.TierKind.MEMORY && tier.residents() != null)
                        .findFirst()
                        .map(CopyReports::whole);
            case NFS, S3 -> throw new IllegalArgumentException(kind + " is no store of a node's own");
        };
    }

    /** A part of a snapshot in memory is no copy. */
    private static List<SnapshotId> whole(Inventory.Tier tier) {
        List<Inventory.Resident> residents = tier.residents() == null ? List.of() : tier.residents();
        return residents.stream()
                .filter(resident -> resident.bytes() >= resident.totalBytes())
                .map(Inventory.Resident::snapshotId)
                .toList();
    }

    /** The snapshot was deleted, or its save given up, while the node was away. */
    private void clear(NodeId node, SnapshotId snapshot) {
        StoreId store = Store.ownOf(node, Inventory.TierKind.NVME);
        if (operations.anyActive(snapshot, Set.of(OperationKind.DELETE, OperationKind.EVICT))
                || nodes.get(node).whyNot("evict").isPresent()) {
            return;
        }
        stores.of(node, store)
                .flatMap(tier -> tier.ref())
                .ifPresent(tier -> operations.queue(new NewOperation(
                        node,
                        new TierSpec.Evict(snapshot, tier, TransferPriority.BACKGROUND),
                        null,
                        Optional.empty(),
                        Optional.empty(),
                        Optional.of(store))));
    }
}
