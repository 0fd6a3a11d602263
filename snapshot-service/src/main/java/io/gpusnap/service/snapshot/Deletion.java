package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.tier.Store;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.springframework.stereotype.Component;

/**
 * Removes a snapshot from everywhere. Every node that has it gets a DELETE; what it needed of shared stores is needed no
 * more. A node that is lost is not waited for: should it come back and still have the snapshot, it is told then.
 */
@Component
class Deletion {
    /** Why a copy is removed. */
    static final String REASON = "The snapshot is deleted.";

    private final LocationStore locations;
    private final Copies copies;
    private final SnapshotStore store;
    private final ChunkAccounts chunks;
    private final Nodes nodes;
    private final Operations operations;

    Deletion(
            LocationStore locations,
            Copies copies,
            SnapshotStore store,
            ChunkAccounts chunks,
            Nodes nodes,
            Operations operations) {
        this.locations = locations;
        this.copies = copies;
        this.store = store;
        this.chunks = chunks;
        this.nodes = nodes;
        this.operations = operations;
    }

    /**
     * Queues what is to be done for a snapshot that is DELETING. Where nobody is left who could have any of it, it is DELETED at
     * once.
     *
     * @return the first of the operations
     */
    Optional<Operation> begin(Snapshot snapshot, Instant now) {
        List<NodeId> holders = locations.of(snapshot.id()).stream()
                .filter(one -> one.kind() == Inventory.TierKind.NVME)
                .flatMap(one -> one.node().stream())
                .filter(this::notLost)
                .toList();
        // Nobody is known to have it, but the node where it was taken may have remains of it.
        List<NodeId> doers = holders.isEmpty()
                ? Stream.of(snapshot.nodeId()).filter(this::notLost).toList()
                : holders;
        copies.forget(snapshot.id());
        if (doers.isEmpty()) {
            gone(snapshot, now);
        }
        holders.forEach(node -> locations.putRemoving(snapshot.id(), node, REASON));
        return doers.stream().map(node -> queue(snapshot, node)).toList().stream()
                .findFirst();
    }

    private Operation queue(Snapshot snapshot, NodeId node) {
        return operations.queue(new NewOperation(
                node, new OperationSpec.Delete(snapshot.id()), snapshot.engine(), Optional.empty(), Optional.empty()));
    }

    /** A node that could not remove it is told once more. */
    void again(Snapshot snapshot, NodeId node) {
        locations.remove(snapshot.id(), Store.ownOf(node, Inventory.TierKind.NVME), LocationState.REMOVING);
        locations.putRemoving(snapshot.id(), node, REASON);
        queue(snapshot, node);
    }

    /** A node does not have it any more; with the last one the snapshot is DELETED. */
    void doneOn(Snapshot snapshot, NodeId node, Instant now) {
        locations.remove(snapshot.id(), Store.ownOf(node, Inventory.TierKind.NVME), LocationState.REMOVING);
        if (snapshot.state() == SnapshotState.DELETING
                && locations.of(snapshot.id()).isEmpty()) {
            gone(snapshot, now);
        }
    }

    private void gone(Snapshot snapshot, Instant now) {
        snapshot.deleted(now);
        store.forget(snapshot.id());
        chunks.remove(snapshot.id());
    }

    private boolean notLost(NodeId id) {
        return nodes.get(id).state() != NodeState.LOST;
    }
}
