package io.gpusnap.service.restore;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.Workloads;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.stereotype.Component;

/**
 * Chooses a restore's node among those that hold the snapshot in their own store. What depends on the moment (free GPU
 * memory, free ports, the driver) the daemon itself checks before it touches anything.
 */
@Component
class Placement {
    private final Nodes nodes;
    private final Snapshots snapshots;
    private final Workloads workloads;

    Placement(Nodes nodes, Snapshots snapshots, Workloads workloads) {
        this.nodes = nodes;
        this.snapshots = snapshots;
        this.workloads = workloads;
    }

    record Choice(Node node, List<String> reasons, List<Decision.Rejected> rejected) {}

    /**
     * @param wanted the node that the caller names, if any
     * @throws ApiException the reason, when the named node or the only holder cannot; NO_NODE with every node's reason when
     *     none of several can; WORKLOAD_LOST when a suspended process is gone
     */
    Choice choose(Snapshot snapshot, Optional<NodeId> wanted) {
        requireSuspendedProcess(snapshot);
        List<NodeId> holders = snapshots.holders(snapshot.id());
        if (wanted.isPresent()) {
            return only(nodes.get(wanted.get()), holders, snapshot, "The caller asked for node ");
        }
        if (holders.isEmpty()) {
            throw new ApiException(ErrorCode.NO_NODE, "No node holds snapshot " + snapshot.id() + ".");
        }
        if (holders.size() == 1) {
            return only(nodes.get(holders.getFirst()), holders, snapshot, "The only holder of the snapshot is node ");
        }
        return best(holders, snapshot);
    }

    private Choice only(Node node, List<NodeId> holders, Snapshot snapshot, String reason) {
        if (!holders.contains(node.id())) {
            throw new ApiException(
                    ErrorCode.NO_NODE, "Node " + node.name() + " does not hold snapshot " + snapshot.id() + ".");
        }
        node.whyNot(snapshot.engine().wireName()).ifPresent(Placement::refuse);
        return new Choice(node, List.of(reason + node.name() + "."), List.of());
    }

    private Choice best(List<NodeId> holders, Snapshot snapshot) {
        List<Decision.Rejected> rejected = new ArrayList<>();
        List<Node> able = new ArrayList<>();
        for (NodeId id : holders) {
            Node node = nodes.get(id);
            node.whyNot(snapshot.engine().wireName())
                    .ifPresentOrElse(
                            why -> rejected.add(new Decision.Rejected(id, node.name(), why.code(), why.detail())),
                            () -> able.add(node));
        }
        if (able.isEmpty()) {
            throw new ApiException(
                    ErrorCode.NO_NODE,
                    rejected.stream().map(Decision.Rejected::reason).collect(Collectors.joining(" ")));
        }
        return new Choice(
                able.getFirst(),
                List.of("Of " + able.size() + " able holders, node "
                        + able.getFirst().name() + " confirmed the snapshot last."),
                rejected);
    }

    private void requireSuspendedProcess(Snapshot snapshot) {
        if (snapshot.engine() != Engine.SUSPEND) {
            return;
        }
        Optional<Workload> process = snapshot.workloadId().flatMap(workloads::find);
        if (process.isEmpty() || !process.get().state().mayExist()) {
            throw new ApiException(
                    ErrorCode.WORKLOAD_LOST,
                    "The process that snapshot " + snapshot.id()
                            + " suspended is gone, and a suspend snapshot has nothing else to come back from.");
        }
    }

    private static void refuse(ApiException why) {
        throw why;
    }
}
