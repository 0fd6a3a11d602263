package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Optional;

/** A process of a container comes back in one, any other outside: each would meet other files. A suspended one never left. */
final class PlaceGate implements Gate {
    @Override
    public String name() {
        return "place";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return demand.needs()
                .flatMap(needs -> Optional.ofNullable(needs.container()))
                .filter(container -> demand.engine() != Engine.SUSPEND && container != demand.intoContainer())
                .map(
                        container -> new Objection(
                                name(),
                                ErrorCode.INCOMPATIBLE,
                                container
                                        ? "The snapshot is of a process in a container, and it is to come back outside of any."
                                        : "The snapshot is of a process outside of containers, and it is to come back in one."));
    }
}
