package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** The same processor architecture. */
final class ArchitectureGate implements Gate {
    @Override
    public String name() {
        return "architecture";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        String here = node.inventory().architecture();
        return demand.compatibility()
                .filter(saved -> !saved.architecture().equals(here))
                .map(saved -> new Objection(
                        name(),
                        ErrorCode.INCOMPATIBLE,
                        "The snapshot is of architecture " + saved.architecture() + ", node " + node.name() + " has "
                                + here + "."));
    }
}
