package io.gpusnap.node.engine;

import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.process.ProcessId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A look at a workload.
 *
 * @param cudaPids those of the tree that use CUDA
 * @param heldBytes managed bytes of all of them by GPU ordinal
 * @param status empty when its preload did not answer; then there is a refusal that says why
 */
record Inspection(
        Optional<TargetStatus> status,
        Map<Integer, Long> heldBytes,
        List<ProcessId> tree,
        List<Integer> cudaPids,
        List<Refusal> refusals) {

    Inspection {
        heldBytes = Map.copyOf(heldBytes);
        tree = List.copyOf(tree);
        cudaPids = List.copyOf(cudaPids);
        refusals = List.copyOf(refusals);
    }
}
