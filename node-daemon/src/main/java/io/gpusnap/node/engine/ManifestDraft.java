package io.gpusnap.node.engine;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.TreeDigester;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/** Puts a manifest together from what the earlier stages remembered and what this node is. */
final class ManifestDraft {

    private static final int ABI = 1;

    private final SaveSession session;
    private final EngineId engine;
    private final StageContext context;

    ManifestDraft(SaveSession session, EngineId engine, StageContext context) {
        this.session = session;
        this.engine = engine;
        this.context = context;
    }

    Manifest build(List<Manifest.Allocation> allocations, Manifest.Host host) throws StageException, GpuException {
        NodeRuntime runtime = session.runtime();
        GpuPort gpu = runtime.requireGpu();
        SaveSubject subject = SaveSession.recall(context, SaveSubject.class);
        FrozenProcess frozen = context.recall(FrozenProcess.class)
                .orElseGet(() -> new ProcessCapture(runtime.proc(), subject).capture());
        boolean withCriu = engine.equals(EngineId.CRIU_CUDA);
        return new Manifest(
                frozen.container().isPresent() ? Manifest.CONTAINER_SCHEMA : Manifest.SCHEMA,
                session.snapshot(),
                engine.value(),
                Instant.now().truncatedTo(ChronoUnit.MILLIS),
                new Manifest.Producer(
                        runtime.version(),
                        withCriu
                                ? runtime.criuProbe()
                                        .version()
                                        .map(Object::toString)
                                        .orElse("")
                                : "",
                        gpu.driver().build(),
                        ABI),
                TreeDigester.ALGORITHM,
                compatibility(gpu, subject, frozen, allocations),
                frozen.image(),
                new Manifest.Device(
                        context.recall(DriverMemory.class)
                                .map(DriverMemory::sizeBytes)
                                .orElse(0L),
                        subject.cudaPids().stream().map(runtime.proc()::ownPid).toList(),
                        allocations),
                host,
                totals(allocations, host),
                frozen.container());
    }

    private Manifest.Compatibility compatibility(
            GpuPort gpu, SaveSubject subject, FrozenProcess frozen, List<Manifest.Allocation> allocations)
            throws GpuException {
        HostFacts host = session.runtime().host();
        // An older preload does not tell where contexts without memory are: most likely on the first one.
        Set<Integer> used = new TreeSet<>(
                context.recall(GpusInUse.class).map(GpusInUse::ordinals).orElse(List.of(0)));
        allocations.forEach(allocation -> used.add(allocation.gpuOrdinal()));
        Set<Integer> reachable = new TreeSet<>(used);
        context.recall(ReachableGpus.class).ifPresent(gpus -> reachable.addAll(gpus.ordinals()));
        List<Manifest.Gpu> gpus = gpu.devices().stream()
                .filter(device -> reachable.contains(device.ordinal()))
                .map(device -> new Manifest.Gpu(
                        device.ordinal(),
                        device.uuid(),
                        device.name(),
                        device.memoryBytes(),
                        device.computeCapability(),
                        used.contains(device.ordinal())))
                .toList();
        DriverInfo driver = gpu.driver();
        return new Manifest.Compatibility(
                host.architecture(),
                host.kernelRelease(),
                host.cpuModel(),
                host.cpuFeatures(),
                gpus,
                driver.cudaVersion(),
                driver.build(),
                driver.simulated(),
                subject.libraries(),
                frozen.mounts(),
                session.request().facts().getOrDefault("image", ""));
    }

    private Manifest.Totals totals(List<Manifest.Allocation> allocations, Manifest.Host host) {
        List<ChunkRef> chunks = Stream.of(
                        allocations.stream().flatMap(allocation -> allocation.chunks().stream()),
                        host.files().stream().flatMap(file -> file.chunks().stream()),
                        host.areas().stream().flatMap(area -> area.chunks().stream()))
                .flatMap(each -> each)
                .toList();
        long vram =
                allocations.stream().mapToLong(Manifest.Allocation::sizeBytes).sum();
        long hostBytes = host.filesBytes() + host.areasBytes();
        return new Manifest.Totals(
                vram,
                hostBytes,
                vram + hostBytes,
                // What encryption adds to each chunk would make it more, which no reader of a manifest believes.
                Math.min(session.pins().storedBytes(), vram + hostBytes),
                chunks.size(),
                session.pins().storedChunks(),
                chunks.stream().filter(ChunkRef::isZero).count());
    }
}
