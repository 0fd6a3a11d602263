package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.GpuUse;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Which GPUs the service's requests work with. */
public final class EngineGpus {

    private final Engines engines;

    public EngineGpus(Engines engines) {
        this.engines = engines;
    }

    /** UUIDs; all of the node where it cannot be known. */
    public Set<String> of(OperationSpec spec) {
        GpuUse use = engines.gpuUse();
        return switch (spec.request()) {
            case Task.Save save -> use.of(process(save.workload()));
            case Task.Thaw thaw ->
                use.of(new SnapshotId(thaw.snapshotId()), thaw.gpuRemap() == null ? Map.of() : thaw.gpuRemap());
            case Task.Switch to -> {
                Set<String> gpus = new HashSet<>(use.of(new SnapshotId(to.snapshotId()), Map.of()));
                for (Task.Candidate candidate : to.candidates()) {
                    gpus.addAll(use.of(process(candidate.workload())));
                }
                yield gpus;
            }
            default -> use.all();
        };
    }

    private static ProcessId process(Task.Process process) {
        return new ProcessId(process.pid(), process.startTimeTicks());
    }
}
