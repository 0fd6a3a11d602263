package io.gpusnap.bench.store;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;

/** Manifests of images that came from no process: as long as a real one, and as well-formed. */
final class Manifests {

    private Manifests() {}

    static Manifest of(SnapshotId snapshot, List<Manifest.HostFile> files, long storedBytes, long storedChunks) {
        Manifest.Host host = new Manifest.Host(files, List.of());
        List<ChunkRef> chunks =
                files.stream().flatMap(file -> file.chunks().stream()).toList();
        long zero = chunks.stream().filter(ChunkRef::isZero).count();
        return new Manifest(
                Manifest.SCHEMA,
                snapshot,
                "criu+cuda",
                Instant.now().truncatedTo(ChronoUnit.MILLIS),
                new Manifest.Producer("bench", "", "", 1),
                TreeDigester.ALGORITHM,
                new Manifest.Compatibility("", "", "", List.of(), List.of(), 0, "", true, List.of(), List.of(), ""),
                new Manifest.ProcessImage(
                        "bench",
                        1,
                        0,
                        List.of(1),
                        true,
                        "",
                        List.of(),
                        "/",
                        0,
                        0,
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of()),
                new Manifest.Device(0, List.of(1), List.of()),
                host,
                new Manifest.Totals(
                        0, host.filesBytes(), host.filesBytes(), storedBytes, chunks.size(), storedChunks, zero));
    }
}
