package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import java.util.Optional;

/** CRIU is there if CRIU made a part of it. */
final class CriuGate implements Gate {
    @Override
    public String name() {
        return "criu";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        boolean missing = demand.compatibility().map(CompatibilityClass::criu).orElse(false)
                && node.inventory().criuVersion() == null;
        return missing
                ? Optional.of(new Objection(
                        name(),
                        ErrorCode.CRIU_UNAVAILABLE,
                        "CRIU made a part of the snapshot, and node " + node.name() + " has none."))
                : Optional.empty();
    }
}
