package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** Its daemon is heard. */
final class NodeHeardGate implements Gate {
    @Override
    public String name() {
        return "node-heard";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return node.state() == NodeState.ONLINE
                ? Optional.empty()
                : Optional.of(new Objection(
                        name(),
                        ErrorCode.NODE_SILENT,
                        "Node " + node.name() + " was last heard at " + node.lastHeartbeatAt() + "."));
    }
}
