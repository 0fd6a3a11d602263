package io.gpusnap.node.inventory;

import io.gpusnap.node.client.Task;
import io.gpusnap.node.engine.Engines;
import io.gpusnap.node.engine.ExportRequest;
import io.gpusnap.node.engine.GpuUse;
import io.gpusnap.node.engine.ImportRequest;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Which resources of the node the service's requests work with: GPUs, and the process ids that a thaw takes. Ids are looked
 * at before they are taken, so two thaws that want the same must not look at once.
 */
public final class EngineResources {

    private final Engines engines;
    private final Set<String> everyGpu;

    public EngineResources(Engines engines) {
        this.engines = engines;
        this.everyGpu = engines.gpuUse().all();
    }

    /** Every GPU of the node. */
    public Set<String> all() {
        return keys("gpu", everyGpu);
    }

    public Set<String> of(OperationSpec spec) {
        GpuUse use = engines.gpuUse();
        Set<String> keys = new HashSet<>();
        Set<String> gpus = new HashSet<>();
        switch (spec.request()) {
            case Task.Save save -> gpus.addAll(use.of(process(save.workload())));
            case Task.Thaw thaw -> {
                SnapshotId snapshot = new SnapshotId(thaw.snapshotId());
                gpus.addAll(use.of(snapshot, EnginePlans.gpuRemap(thaw), EnginePlans.container(thaw)));
                keys.addAll(keys("task", use.tasks(snapshot)));
            }
            case Task.Switch to ->
                gpus.addAll(use.ofSwitch(
                        new SnapshotId(to.snapshotId()),
                        to.candidates().stream()
                                .map(candidate -> process(candidate.workload()))
                                .toList()));
            case Task.Transfer t -> {
                return Set.of();
            }
            case Task.Evict e -> {
                return Set.of();
            }
            case Task.Sweep s -> {
                return Set.of();
            }
            case Task.Scrub s -> {
                return Set.of();
            }
            case ExportRequest e -> {
                return Set.of();
            }
            case ImportRequest i -> {
                return Set.of();
            }
            default -> {}
        }
        keys.addAll(keys("gpu", gpus.isEmpty() ? everyGpu : gpus));
        return keys;
    }

    private static Set<String> keys(String kind, Set<?> names) {
        return names.stream().map(name -> kind + ":" + name).collect(Collectors.toUnmodifiableSet());
    }

    private static ProcessId process(Task.Process process) {
        return new ProcessId(process.pid(), process.startTimeTicks());
    }
}
