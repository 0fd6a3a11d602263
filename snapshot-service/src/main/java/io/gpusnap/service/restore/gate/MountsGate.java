package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;
import java.util.Optional;

/** The mount points that the process saw, where the caller says which are there. */
final class MountsGate implements Gate {
    @Override
    public String name() {
        return "mounts";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        List<String> there = constraints.mounts();
        if (there == null) {
            return Optional.empty();
        }
        return demand.needs()
                .map(needs -> needs.mounts().stream()
                        .filter(mount -> !there.contains(mount))
                        .toList())
                .filter(missing -> !missing.isEmpty())
                .map(missing -> new Objection(
                        name(),
                        ErrorCode.PATH_MISSING,
                        "The process saw mounts that are not there: " + String.join(", ", missing) + "."));
    }
}
