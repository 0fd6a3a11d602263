package io.gpusnap.node.engine;

import io.gpusnap.gpu.TargetStatus;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.process.ProcessId;
import java.util.List;
import java.util.Optional;

/**
 * A look at a workload.
 *
 * @param cudaPids those of the tree that use CUDA
 * @param status empty when its preload did not answer; then there is a refusal that says why
 */
record Inspection(Optional<TargetStatus> status, List<ProcessId> tree, List<Integer> cudaPids, List<Refusal> refusals) {

    Inspection {
        tree = List.copyOf(tree);
        cudaPids = List.copyOf(cudaPids);
        refusals = List.copyOf(refusals);
    }
}
