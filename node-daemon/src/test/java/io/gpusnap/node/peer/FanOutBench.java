package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.S3Server;
import io.gpusnap.node.tier.s3.S3Store;
import io.gpusnap.node.transfer.SnapshotPush;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import io.gpusnap.node.transfer.Transfer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** What {@code bench/fan-out/run} measures; no test of its own, so its name is none that is looked for. */
class FanOutBench {

    private static final int CHUNK_BYTES = 4 << 20;

    @TempDir
    Path folder;

    private final List<FanNode> nodes = new ArrayList<>();

    @Test
    void nodesThatKnowOfEachOtherBesideNodesThatDoNot() throws Exception {
        int count = Integer.getInteger("gpusnap.bench.nodes", 8);
        int chunks = Integer.getInteger("gpusnap.bench.mib", 64) >> 2;
        String bucket = S3Server.shared().bucket();
        PackTier tier = new PackTier(
                new PackSettings("s3", FanNode.PACK_BYTES),
                new S3Store(S3Server.settings(bucket, S3Server.shared().endpoint())),
                FrameSettings.none());
        StoredSnapshot stored;
        try (SnapshotStore first = StoredSnapshot.open(folder.resolve("first"), 16 << 20, tier)) {
            stored = StoredSnapshot.make(first, SnapshotId.random(), chunks, CHUNK_BYTES);
            SnapshotPush push = new SnapshotPush(tier, first.sources(), UUID.randomUUID());
            push.chunks(
                    stored.chunks(),
                    new Transfer(2, bytes -> {}, () -> {}),
                    new Traffic(0).share(0, false),
                    total -> {});
            push.manifest(stored.snapshot(), stored.manifest(), stored.chunks());
        }
        List<Map<String, Object>> runs = new ArrayList<>();
        for (boolean known : new boolean[] {false, true}) {
            runs.add(run(known, count, bucket, stored, chunks));
        }
        Files.writeString(
                Path.of(System.getProperty("gpusnap.bench.out")),
                JsonMapper.builder().build().writeValueAsString(runs));
        assertThat(runs).hasSize(2);
    }

    private Map<String, Object> run(boolean known, int count, String bucket, StoredSnapshot stored, int chunks)
            throws Exception {
        String digest = ManifestDigest.of(stored.manifest()).hex();
        TestService service = new TestService(stored.snapshot().value(), digest);
        try (FaultProxy s3 = new FaultProxy(S3Server.shared().endpoint());
                ExecutorService threads = Executors.newCachedThreadPool()) {
            for (int i = 0; i < count; i++) {
                FanNode node = new FanNode(
                        folder.resolve("node-" + known + i), bucket, s3.endpoint(), 48 << 20, Duration.ofSeconds(30));
                nodes.add(node);
                if (known) {
                    service.takesPart(service.register(node.fanOut), Peer.Role.FETCHER);
                }
            }
            long begin = System.nanoTime();
            List<Future<Map<String, Long>>> running = nodes.stream()
                    .map(node -> threads.submit(() -> node.bring(stored.snapshot(), digest)))
                    .toList();
            Map<String, Long> bySource = new TreeMap<>();
            for (Future<Map<String, Long>> one : running) {
                one.get().forEach((source, bytes) -> bySource.merge(source, bytes, Long::sum));
            }
            Map<String, Object> result = new LinkedHashMap<>();
            result.put("nodes", count);
            result.put("fanOut", known);
            result.put("snapshotBytes", (long) chunks * CHUNK_BYTES);
            result.put("s3EgressBytes", s3.sentBytes());
            result.put("s3EgressSnapshots", (double) s3.sentBytes() / ((long) chunks * CHUNK_BYTES));
            result.put("bytesBySource", bySource);
            result.put("seconds", (System.nanoTime() - begin) / 1e9);
            result.put(
                    "peerFailures",
                    nodes.stream()
                            .mapToLong(node -> node.fanOut.counts().failures().values().stream()
                                    .mapToLong(Long::longValue)
                                    .sum())
                            .sum());
            return result;
        } finally {
            nodes.forEach(FanNode::close);
            nodes.clear();
        }
    }
}
