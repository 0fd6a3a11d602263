package io.gpusnap.node.store;

import java.time.Instant;
import java.util.List;

/** Manifests for tests. */
public final class Manifests {

    private Manifests() {}

    /** A small valid manifest that names the given chunks in one host file. */
    public static Manifest of(SnapshotId snapshot, List<ChunkRef> hostChunks) {
        long bytes = hostChunks.stream().mapToLong(ChunkRef::sizeBytes).sum();
        long zeros = hostChunks.stream().filter(ChunkRef::isZero).count();
        ChunkRef device = ChunkRef.zero(2 << 20);
        return new Manifest(
                Manifest.SCHEMA,
                snapshot,
                "criu+cuda",
                Instant.parse("2026-01-02T03:04:05Z"),
                new Manifest.Producer("0.1.0", "4.2.1", "simulated-1", 1),
                TreeDigester.ALGORITHM,
                new Manifest.Compatibility(
                        "amd64",
                        "6.18.44",
                        "Some CPU",
                        List.of("avx2", "sse4_2"),
                        List.of(new Manifest.Gpu(0, "GPU-0", "Simulated H100", 8L << 30, "9.0", true)),
                        13000,
                        "simulated-1",
                        true,
                        List.of(new Manifest.Library("executable", "/opt/server", "0".repeat(64), 10)),
                        List.of("/"),
                        "registry/server:1"),
                new Manifest.ProcessImage(
                        "chat",
                        4711,
                        123456,
                        List.of(4711, 4712),
                        true,
                        "/opt/server",
                        List.of("/opt/server", "--port", "8000"),
                        "/srv",
                        0,
                        0,
                        List.of(new Manifest.ListeningSocket("tcp", "127.0.0.1", 8000)),
                        List.of(new Manifest.OpenFile(1, "/srv/server.log", 12, "a")),
                        List.of(new Manifest.MappedFile("/opt/server", 10)),
                        List.of("/tmp/gpusnap/4711.sock"),
                        List.of("PATH")),
                new Manifest.Device(
                        0,
                        List.of(4711),
                        List.of(new Manifest.Allocation(1, "0x7f0000000000", 2 << 20, 0, List.of(device)))),
                new Manifest.Host(List.of(new Manifest.HostFile("pages-1.img", bytes, 0644, hostChunks)), List.of()),
                new Manifest.Totals(2 << 20, bytes, (2 << 20) + bytes, 0, 1 + hostChunks.size(), 0, 1 + zeros));
    }

    /** The same with other host areas of the same chunks. */
    public static Manifest withAreasOnly(Manifest manifest, List<Manifest.HostArea> areas) {
        return with(manifest, areas, manifest.totals());
    }

    /** The same with host areas besides. */
    public static Manifest withAreas(Manifest manifest, List<Manifest.HostArea> areas) {
        Manifest.Totals totals = manifest.totals();
        long bytes = areas.stream().mapToLong(Manifest.HostArea::sizeBytes).sum();
        List<ChunkRef> chunks =
                areas.stream().flatMap(area -> area.chunks().stream()).toList();
        return with(
                manifest,
                areas,
                new Manifest.Totals(
                        totals.vramBytes(),
                        totals.hostBytes() + bytes,
                        totals.logicalBytes() + bytes,
                        totals.storedBytes(),
                        totals.chunksTotal() + chunks.size(),
                        totals.chunksStored(),
                        totals.chunksZero()
                                + chunks.stream().filter(ChunkRef::isZero).count()));
    }

    /** The same of a process that saw other GPUs. */
    public static Manifest withGpus(Manifest manifest, List<Manifest.Gpu> gpus) {
        Manifest.Compatibility was = manifest.compatibility();
        return with(
                manifest,
                new Manifest.Compatibility(
                        was.architecture(),
                        was.kernelRelease(),
                        was.cpuModel(),
                        was.cpuFeatures(),
                        gpus,
                        was.cudaDriverVersion(),
                        was.driverBuild(),
                        was.simulated(),
                        was.libraries(),
                        was.mounts(),
                        was.image()),
                manifest.host(),
                manifest.totals());
    }

    private static Manifest with(Manifest manifest, List<Manifest.HostArea> areas, Manifest.Totals totals) {
        return with(
                manifest,
                manifest.compatibility(),
                new Manifest.Host(manifest.host().files(), areas),
                totals);
    }

    private static Manifest with(
            Manifest manifest, Manifest.Compatibility compatibility, Manifest.Host host, Manifest.Totals totals) {
        return new Manifest(
                manifest.schema(),
                manifest.snapshotId(),
                manifest.engine(),
                manifest.createdAt(),
                manifest.producer(),
                manifest.digestAlgorithm(),
                compatibility,
                manifest.process(),
                manifest.device(),
                host,
                totals);
    }
}
