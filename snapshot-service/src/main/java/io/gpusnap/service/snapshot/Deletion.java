package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
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
    private static final int NODES_LOOKED_AT = 200;

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
     * Queues what is to be done for a snapshot that is DELETING.
     *
     * @return the first of the operations
     * @throws ApiException NODE_LOST if no node is there that could do it
     */
    Operation begin(Snapshot snapshot) {
        List<NodeId> holders = locations.of(snapshot.id()).stream()
                .filter(one -> one.kind() == Inventory.TierKind.NVME)
                .flatMap(one -> one.node().stream())
                .filter(this::notLost)
                .toList();
        List<NodeId> doers = holders.isEmpty() ? List.of(somebody(snapshot)) : holders;
        copies.forget(snapshot.id());
        holders.forEach(node -> locations.putRemoving(snapshot.id(), node, "The snapshot is deleted."));
        return doers.stream()
                .map(node -> operations.queue(new NewOperation(
                        node,
                        new OperationSpec.Delete(snapshot.id()),
                        snapshot.engine(),
                        Optional.empty(),
                        Optional.empty())))
                .toList()
                .getFirst();
    }

    /** A node has removed it; with the last one the snapshot is DELETED, unless another one failed to. */
    void doneOn(Snapshot snapshot, NodeId node, Instant now) {
        locations.remove(snapshot.id(), Store.ownOf(node, Inventory.TierKind.NVME), LocationState.REMOVING);
        if (snapshot.state() == SnapshotState.DELETING
                && locations.of(snapshot.id()).isEmpty()) {
            snapshot.deleted(now);
            store.forget(snapshot.id());
            chunks.remove(snapshot.id());
        }
    }

    /** Nobody is known to have it, but the node where it was taken may have remains of it. */
    private NodeId somebody(Snapshot snapshot) {
        return Stream.concat(
                        Stream.of(snapshot.nodeId()).filter(this::notLost),
                        nodes.list(PageQuery.of("deletion", NODES_LOOKED_AT, null)).items().stream()
                                .filter(node -> node.state() == NodeState.ONLINE)
                                .map(Node::id))
                .findFirst()
                .orElseThrow(() -> new ApiException(
                        ErrorCode.NODE_LOST, "No node is heard that could remove snapshot " + snapshot.id() + "."));
    }

    private boolean notLost(NodeId id) {
        return nodes.get(id).state() != NodeState.LOST;
    }
}
