package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.CompatibilityClass;
import java.util.Optional;
import java.util.stream.Collectors;

/** GPUs of the same models. */
final class GpuModelGate implements Gate {
    @Override
    public String name() {
        return "gpu-model";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return demand.compatibility()
                .flatMap(saved -> saved.gpus().stream()
                        .filter(kind -> GpuCountGate.count(node, kind) == 0)
                        .findFirst()
                        .map(kind -> new Objection(
                                name(),
                                ErrorCode.GPU_MISMATCH,
                                "The snapshot is of " + describe(kind) + "; node " + node.name() + " has "
                                        + describe(node) + ".")));
    }

    private static String describe(CompatibilityClass.Gpus kind) {
        return kind.computeCapability() == null
                ? kind.model()
                : kind.model() + " (compute capability " + kind.computeCapability() + ")";
    }

    private static String describe(Node node) {
        return node.inventory().gpus().isEmpty()
                ? "no GPU"
                : node.inventory().gpus().stream()
                        .map(gpu -> gpu.name()
                                + (gpu.computeCapability() == null
                                        ? ""
                                        : " (compute capability " + gpu.computeCapability() + ")"))
                        .distinct()
                        .collect(Collectors.joining(", "));
    }
}
