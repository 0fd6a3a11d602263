package io.gpusnap.node.engine;

import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.engine.device.GpuTarget;
import io.gpusnap.node.process.ProcessId;
import java.util.List;
import java.util.Optional;

/**
 * A look at a workload.
 *
 * @param status empty when its preload did not answer; then there is a refusal that says why
 */
record Inspection(Optional<GpuTarget.Status> status, List<ProcessId> tree, List<Refusal> refusals) {

    Inspection {
        tree = List.copyOf(tree);
        refusals = List.copyOf(refusals);
    }
}
