package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** The node has the engine that made it. */
final class EngineGate implements Gate {
    @Override
    public String name() {
        return "engine";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        String engine = demand.engine().wireName();
        return node.inventory()
                .whyMissing(engine)
                .map(reason -> new Objection(
                        name(),
                        ErrorCode.CAPABILITY_MISSING,
                        "Node " + node.name() + " cannot do " + engine + ": " + reason + "."));
    }
}
