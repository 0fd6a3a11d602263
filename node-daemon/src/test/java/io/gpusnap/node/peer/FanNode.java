package io.gpusnap.node.peer;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.HostImageReader;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import io.gpusnap.node.transfer.Transfer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A node as far as chunks go: store, pool, an S3 tier, and its part in the fan-out. What a thaw reads it reads in the same way. */
final class FanNode implements AutoCloseable {

    static final int PACK_BYTES = 16 << 20;

    private final Path folder;
    final SnapshotStore store;
    final Traffic traffic = new Traffic(0);
    final FanOut fanOut;

    FanNode(Path folder, String bucket, URI s3, int poolBytes, Duration timeout) throws Exception {
        this.folder = Files.createDirectories(folder);
        this.store = StoredSnapshot.open(
                folder,
                poolBytes,
                new PackTier(
                        new PackSettings("s3", PACK_BYTES),
                        new S3Store(S3Server.settings(bucket, s3)),
                        FrameSettings.none()));
        this.fanOut = new FanOut(
                new PeerSettings(
                        Optional.of(new InetSocketAddress("127.0.0.1", 0)),
                        Optional.empty(),
                        "default",
                        32, // each of seven others asks three times at once
                        0,
                        timeout,
                        32 << 20),
                store,
                traffic);
    }

    /** What a thaw does with chunks: first the files of the process image, then what goes into the pool. */
    Map<String, Long> bring(SnapshotId snapshot, String digest) throws Exception {
        byte[] bytes = store.anyManifest(
                snapshot,
                store.sources(),
                found -> ManifestDigest.of(found).hex().equals(digest));
        List<ChunkRef> chunks = ManifestJson.read(bytes)
                .chunks()
                .filter(chunk -> !chunk.isZero())
                .toList();
        Transfer transfer = new Transfer(2, done -> {}, () -> {});
        ReadBytes read = store.sources().read().ofOperation();
        OperationId operation = OperationId.random();
        try (Traffic.Urgent urgent = traffic.urgent();
                FanOut.Gathered gathered = fanOut.gather(
                        operation,
                        snapshot,
                        digest,
                        chunks,
                        store.sources().telling(store.sources().damage(), read),
                        read)) {
            List<ChunkRef> image = chunks.subList(0, chunks.size() / 4);
            long imageBytes = image.stream().mapToLong(ChunkRef::sizeBytes).sum();
            Path scratch = Files.createDirectories(folder.resolve("scratch-" + operation));
            HostImageReader.materialise(
                    List.of(new Manifest.HostFile("pages-1.img", imageBytes, 0600, image)),
                    scratch,
                    gathered.sources(),
                    transfer);
            try (LoadedChunks loaded = new LoadedChunks()) {
                new ChunkLoader(gathered.sources(), store.memory(), operation.value())
                        .load(chunks.subList(chunks.size() / 4, chunks.size()), loaded, transfer);
                return read.bySource();
            }
        } finally {
            store.memory().finish(operation.value());
        }
    }

    /** What {@link #bring} wrote. */
    byte[] image() throws Exception {
        try (var files = Files.walk(folder)) {
            return Files.readAllBytes(files.filter(file -> file.endsWith("pages-1.img"))
                    .findFirst()
                    .orElseThrow());
        }
    }

    @Override
    public void close() {
        fanOut.close();
        store.close();
    }
}
