package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import java.util.Optional;

/** A kernel of the same major release. */
final class KernelGate implements Gate {
    @Override
    public String name() {
        return "kernel";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        String here = node.inventory().kernelRelease();
        return demand.compatibility()
                .filter(saved -> !saved.kernelMajor().equals(CompatibilityClass.kernelMajor(here)))
                .map(saved -> new Objection(
                        name(),
                        ErrorCode.INCOMPATIBLE,
                        "The snapshot is of a kernel " + saved.kernelMajor() + ".x, node " + node.name() + " has "
                                + here + "."));
    }
}
