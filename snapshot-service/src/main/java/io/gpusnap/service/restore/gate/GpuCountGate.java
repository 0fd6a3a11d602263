package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import java.util.Optional;

/** As many GPUs of each model. */
final class GpuCountGate implements Gate {
    @Override
    public String name() {
        return "gpu-count";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return demand.compatibility()
                .flatMap(saved -> saved.gpus().stream()
                        .filter(kind -> count(node, kind) > 0 && count(node, kind) < kind.count())
                        .findFirst()
                        .map(kind -> new Objection(
                                name(),
                                ErrorCode.GPU_MISMATCH,
                                "The snapshot is of " + kind.count() + " GPUs " + kind.model() + ", node " + node.name()
                                        + " has " + count(node, kind) + ".")));
    }

    /** GPUs of the node that are of the kind, as far as it says. */
    static long count(Node node, CompatibilityClass.Gpus kind) {
        return node.inventory().gpus().stream()
                .filter(gpu -> gpu.name().equals(kind.model()))
                .filter(gpu -> kind.computeCapability() == null
                        || gpu.computeCapability() == null
                        || kind.computeCapability().equals(gpu.computeCapability()))
                .count();
    }
}
