package io.gpusnap.bench.store;

import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.HostImageReader;
import io.gpusnap.node.transfer.HostImageWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Saves and restores folders of files: what the stages store, verify, commit and materialise do. */
final class Images {

    private final Node node;

    Images(Node node) {
        this.node = node;
    }

    /**
     * What it answers: {@code storeSeconds} until every chunk and the pending manifest are durable, of these {@code syncSeconds} for
     * what the drive had not made durable by itself, {@code proofSeconds} for reading all back from the medium,
     * {@code commitSeconds}.
     */
    Map<String, Object> save(Path folder) throws TierException, ManifestException, IOException, InterruptedException {
        SnapshotStore store = node.store();
        Timer timer = new Timer();
        try (SavePins pins = store.pins()) {
            List<Manifest.HostFile> files = HostImageWriter.store(files(folder), pins, node.transfer());
            double written = timer.lap();
            store.nvme().sync();
            double synced = timer.lap();
            SnapshotId snapshot = SnapshotId.random();
            Manifest manifest = Manifests.of(snapshot, files, pins.storedBytes(), pins.storedChunks());
            ReadManifest pending = store.writePending(snapshot, ManifestJson.write(manifest));
            double stored = written + synced + timer.lap();
            ChunkVerifier.verify(pending.manifest().chunks().toList(), store.nvme(), node.transfer());
            double proven = timer.lap();
            store.commit(snapshot);
            Map<String, Object> answer = new LinkedHashMap<>();
            answer.put("snapshot", snapshot.toString());
            answer.put("storeSeconds", stored);
            answer.put("syncSeconds", synced);
            answer.put("proofSeconds", proven);
            answer.put("commitSeconds", timer.lap());
            answer.put("chunks", manifest.chunks().count());
            answer.put("storedChunks", pins.storedChunks());
            answer.put("storedBytes", pins.storedBytes());
            return answer;
        }
    }

    Map<String, Object> restore(SnapshotId snapshot, Path folder)
            throws TierException, ManifestException, IOException, InterruptedException {
        Manifest manifest = node.store().read(snapshot).manifest();
        Files.createDirectories(folder);
        HostImageReader.materialise(
                manifest.host().files(), folder, node.store().sources(), node.transfer());
        return Map.of("restoredBytes", manifest.host().filesBytes());
    }

    Map<String, Object> delete(SnapshotId snapshot) throws TierException, ManifestException {
        return Map.of("freedBytes", node.store().delete(snapshot));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
