package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** The daemon thaws into containers, if that is asked of it. One from before it could would not even see that it is. */
final class ContainerGate implements Gate {
    @Override
    public String name() {
        return "container";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        if (!demand.intoContainer()) {
            return Optional.empty();
        }
        return node.inventory()
                .whyMissing(Inventory.CONTAINER_THAW)
                .map(reason -> new Objection(
                        name(),
                        ErrorCode.CAPABILITY_MISSING,
                        "Node " + node.name() + " cannot thaw into a container (" + Inventory.CONTAINER_THAW + "): "
                                + reason + "."));
    }
}
