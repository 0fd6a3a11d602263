package io.gpusnap.node.engine;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.engine.check.GpuPlan;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.process.Containers;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What something works with, so that other work can go on beside it: UUIDs of GPUs, and the process ids that a thaw takes. GPUs
 * that cannot be known count as all of them: this decides who waits, never who is refused.
 */
public final class GpuUse {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(2);

    private final NodeRuntime runtime;

    GpuUse(NodeRuntime runtime) {
        this.runtime = runtime;
    }

    /** Of the node. */
    public Set<String> all() {
        try {
            return runtime.gpu().isEmpty()
                    ? Set.of()
                    : uuids(runtime.gpu().get().devices());
        } catch (GpuException e) {
            return Set.of();
        }
    }

    /** Those that a workload has a context or memory on. */
    public Set<String> of(ProcessId process) {
        // CRIU may be at work on a process that an operation has: it must see no connection of anybody.
        if (runtime.busy().all().containsKey(process)) {
            return all();
        }
        Optional<CudaProcesses> cuda = runtime.cuda(process);
        if (cuda.isEmpty()) {
            return all();
        }
        try (TargetPort target = cuda.get().open(CONNECT_LIMIT)) {
            Set<Integer> ordinals = new HashSet<>(target.gpus());
            target.allocations().stream().map(Allocation::gpuOrdinal).forEach(ordinals::add);
            Set<String> used = uuids(cuda.get().gpu().devices().stream()
                    .filter(device -> ordinals.contains(device.ordinal()))
                    .toList());
            return used.isEmpty() ? all() : used;
        } catch (GpuException e) {
            return all();
        }
    }

    /**
     * Those that a snapshot comes back to.
     *
     * @param remap as {@link ThawRequest#gpuRemap}
     * @param container where it comes back
     */
    public Set<String> of(SnapshotId snapshot, Map<Integer, String> remap, Optional<ContainerRef> container) {
        if (runtime.gpu().isEmpty()) {
            return all();
        }
        try {
            GpuPort gpu = runtime.gpu().get();
            Manifest manifest = Snapshots.manifest(runtime.store(), snapshot);
            GpuPlan plan = GpuPlan.of(manifest, gpu.driver(), devices(gpu, container), remap);
            return plan.refusals().isEmpty() && !plan.devices().isEmpty()
                    ? uuids(List.copyOf(plan.devices().values()))
                    : all();
        } catch (GpuException | TierException | ManifestException e) {
            return all();
        }
    }

    private List<GpuInfo> devices(GpuPort gpu, Optional<ContainerRef> container) throws GpuException {
        List<GpuInfo> devices = gpu.devices();
        if (container.isEmpty()) {
            return devices;
        }
        ContainerRef named = container.get();
        return new Containers(runtime.proc())
                .find(named.podUid(), named.containerId())
                .map(found -> runtime.proc().of(found.container().init().pid()).resolve("root"))
                .map(root -> new DeviceNodes(runtime.proc()).of(root, devices))
                .orElse(List.of());
    }

    /**
     * Those of a switch: of the process that comes back, and of the candidates that may have to make room for it. Who is on other
     * GPUs only cannot.
     */
    public Set<String> ofSwitch(SnapshotId snapshot, List<ProcessId> candidates) {
        Set<String> wanted = of(snapshot, Map.of(), Optional.empty());
        Set<String> all = new HashSet<>(wanted);
        candidates.stream()
                .map(this::of)
                .filter(own -> !Collections.disjoint(own, wanted))
                .forEach(all::addAll);
        return all;
    }

    /** Ids of the processes and threads that a thaw makes anew; none where it cannot be known, or nothing is made. */
    public Set<Integer> tasks(SnapshotId snapshot) {
        try {
            Manifest manifest = Snapshots.manifest(runtime.store(), snapshot);
            return manifest.engine().equals(EngineId.CRIU_CUDA.value())
                    ? Set.copyOf(manifest.process().taskIds())
                    : Set.of();
        } catch (TierException | ManifestException e) {
            return Set.of();
        }
    }

    private static Set<String> uuids(List<GpuInfo> devices) {
        return devices.stream().map(GpuInfo::uuid).collect(Collectors.toUnmodifiableSet());
    }
}
