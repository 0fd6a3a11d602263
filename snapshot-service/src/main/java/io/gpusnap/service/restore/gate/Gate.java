package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import java.util.Optional;

/**
 * One reason why a snapshot may not come back on a node. Pure: it looks at what it is given and at nothing else. What
 * neither side knows is no reason; the daemon checks again before it touches anything.
 */
interface Gate {
    /** kebab-case, part of the API. */
    String name();

    Optional<Objection> objection(Demand demand, Node node, Constraints constraints);
}
