package io.gpusnap.service.restore.gate;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** GPUs that are large enough. How much is free changes from moment to moment: that is the score's and the daemon's matter. */
final class GpuMemoryGate implements Gate {
    @Override
    public String name() {
        return "gpu-memory";
    }

    @Override
    public Optional<Objection> objection(Demand demand, Node node, Constraints constraints) {
        return demand.needs().flatMap(needs -> {
            List<Long> wanted =
                    needs.gpuBytes().stream().sorted(Comparator.reverseOrder()).toList();
            List<Long> there = node.inventory().gpus().stream()
                    .map(Inventory.Gpu::memoryBytes)
                    .sorted(Comparator.reverseOrder())
                    .toList();
            for (int i = 0; i < wanted.size() && i < there.size(); i++) {
                if (wanted.get(i) > there.get(i)) {
                    return Optional.of(new Objection(
                            name(),
                            ErrorCode.INSUFFICIENT_VRAM,
                            "The snapshot needs " + wanted.get(i) + " bytes on a GPU, node " + node.name()
                                    + " has one of " + there.get(i) + " for it."));
                }
            }
            return Optional.empty();
        });
    }
}
