package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** It is not cordoned. */
final class NodeOpenGate implements Gate {
    @Override
    public String name() {
        return "node-open";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return node.schedulable()
                ? Optional.empty()
                : Optional.of(
                        new Objection(name(), ErrorCode.NODE_UNSCHEDULABLE, "Node " + node.name() + " is cordoned."));
    }
}
