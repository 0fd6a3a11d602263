package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Every processor feature that the process may use. */
final class CpuFeaturesGate implements Gate {
    @Override
    public String name() {
        return "cpu-features";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        List<String> here = node.inventory().cpuFeatures();
        if (here == null) {
            return Optional.empty();
        }
        Set<String> there = new HashSet<>(here);
        return demand.compatibility()
                .map(saved -> saved.cpuFeatures().stream()
                        .filter(feature -> !there.contains(feature))
                        .toList())
                .filter(missing -> !missing.isEmpty())
                .map(missing -> new Objection(
                        name(),
                        ErrorCode.INCOMPATIBLE,
                        "The snapshot's processor has features that node " + node.name() + " has not: "
                                + String.join(" ", missing) + "."));
    }
}
