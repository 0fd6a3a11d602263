package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
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
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Nodes that bring back one snapshot from a real S3 server behind a proxy that counts, over real connections between them. */
class FanOutIT {

    private static final int CHUNK_BYTES = 4 << 20;
    private static final int CHUNKS = 16;
    private static final long SNAPSHOT_BYTES = (long) CHUNKS * CHUNK_BYTES;

    @TempDir
    static Path firstNode;

    @TempDir
    Path folder;

    private static String bucket;
    private static StoredSnapshot stored;
    private static String digest;

    private final List<FanNode> nodes = new ArrayList<>();
    private FaultProxy s3;
    private TestService service;

    @BeforeAll
    static void pushSnapshot() throws Exception {
        bucket = S3Server.shared().bucket();
        PackTier tier = new PackTier(
                new PackSettings("s3", FanNode.PACK_BYTES),
                new S3Store(S3Server.settings(bucket, S3Server.shared().endpoint())),
                FrameSettings.none());
        try (SnapshotStore first = StoredSnapshot.open(firstNode, 16 << 20, tier)) {
            stored = StoredSnapshot.make(first, SnapshotId.random(), CHUNKS, CHUNK_BYTES);
            SnapshotPush push = new SnapshotPush(tier, first.sources(), UUID.randomUUID());
            push.chunks(
                    stored.chunks(),
                    new Transfer(2, bytes -> {}, () -> {}),
                    new Traffic(0).share(Traffic.Priority.URGENT, 0),
                    total -> {});
            push.manifest(stored.snapshot(), stored.manifest(), stored.chunks());
        }
        digest = ManifestDigest.of(stored.manifest()).hex();
    }

    @BeforeEach
    void begin() throws Exception {
        s3 = new FaultProxy(S3Server.shared().endpoint());
        service = new TestService(stored.snapshot().value(), digest);
    }

    @AfterEach
    void close() {
        nodes.forEach(FanNode::close);
        s3.close();
    }

    private FanNode node(Duration timeout) throws Exception {
        FanNode node = new FanNode(folder.resolve("node-" + nodes.size()), bucket, s3.endpoint(), 48 << 20, timeout);
        nodes.add(node);
        return node;
    }

    private FanNode node() throws Exception {
        return node(Duration.ofSeconds(30));
    }

    /** At once, and each gets every byte. */
    private List<Map<String, Long>> bringAtOnce(List<FanNode> all) throws Exception {
        List<Map<String, Long>> read = new ArrayList<>();
        try (ExecutorService threads = Executors.newCachedThreadPool()) {
            List<Future<Map<String, Long>>> running = all.stream()
                    .map(node -> threads.submit(() -> node.bring(stored.snapshot(), digest)))
                    .toList();
            for (Future<Map<String, Long>> one : running) {
                read.add(one.get());
            }
        }
        for (FanNode node : all) {
            assertThat(node.image()).isEqualTo(expectedImage());
        }
        return read;
    }

    private static byte[] expectedImage() {
        ByteBuffer image = ByteBuffer.allocate(CHUNKS / 4 * CHUNK_BYTES);
        for (ChunkRef chunk : stored.chunks().subList(0, CHUNKS / 4)) {
            byte[] content = new byte[CHUNK_BYTES];
            new Random(stored.chunks().indexOf(chunk)).nextBytes(content);
            image.put(content);
        }
        return image.array();
    }

    private static long sum(List<Map<String, Long>> read, String source) {
        return read.stream().mapToLong(one -> one.getOrDefault(source, 0L)).sum();
    }

    @Test
    void eightNodesThatBeginAtOnceReadTheStoreOnceBetweenThem() throws Exception {
        // given
        for (int i = 0; i < 8; i++) {
            service.takesPart(service.register(node().fanOut), Peer.Role.FETCHER);
        }
        // when
        List<Map<String, Long>> read = bringAtOnce(nodes);
        // then all that the store gave away, lists and manifests included
        assertThat(s3.sentBytes()).isBetween(SNAPSHOT_BYTES, SNAPSHOT_BYTES * 13 / 10);
        assertThat(read)
                .allSatisfy(one -> assertThat(
                                one.values().stream().mapToLong(Long::longValue).sum())
                        .isEqualTo(SNAPSHOT_BYTES));
        assertThat(sum(read, "s3") + sum(read, ChunkSources.MEMORY)).isLessThan(3 * SNAPSHOT_BYTES);
        assertThat(sum(read, ChunkSources.PEER)).isGreaterThan(5 * SNAPSHOT_BYTES);
        assertThat(nodes)
                .allSatisfy(node ->
                        assertThat(node.fanOut.counts().failures().values()).containsOnly(0L));
    }

    @Test
    void aNodeThatComesLaterGetsWhatTheFirstOneHasRead() throws Exception {
        // given one that knew of nobody, and has ended
        FanNode first = node();
        UUID firstId = service.register(first.fanOut);
        bringAtOnce(List.of(first));
        long before = s3.sentBytes();
        assertThat(before).isBetween(SNAPSHOT_BYTES, SNAPSHOT_BYTES * 11 / 10);
        // when
        service.takesPart(firstId, Peer.Role.RECENT);
        FanNode second = node();
        service.takesPart(service.register(second.fanOut), Peer.Role.FETCHER);
        Map<String, Long> read = bringAtOnce(List.of(second)).getFirst();
        // then what is in its pool need not come from the store again
        assertThat(read.get(ChunkSources.PEER)).isGreaterThanOrEqualTo(8L * CHUNK_BYTES);
        assertThat(s3.sentBytes() - before).isLessThan(SNAPSHOT_BYTES);
    }

    @Test
    void aNodeThatHasTheWholeSnapshotSparesTheStore() throws Exception {
        // given
        FanNode holder = node();
        StoredSnapshot.make(holder.store, stored.snapshot(), CHUNKS, CHUNK_BYTES);
        String held =
                ManifestDigest.of(holder.store.manifest(stored.snapshot())).hex();
        TestService knowing = new TestService(stored.snapshot().value(), held);
        knowing.takesPart(knowing.register(holder.fanOut), Peer.Role.HOLDER);
        assertThat(held).isEqualTo(digest);
        for (int i = 0; i < 2; i++) {
            knowing.takesPart(knowing.register(node().fanOut), Peer.Role.FETCHER);
        }
        // when
        List<Map<String, Long>> read = bringAtOnce(nodes.subList(1, 3));
        // then
        assertThat(sum(read, "s3")).isZero();
        assertThat(s3.sentBytes()).isLessThan(SNAPSHOT_BYTES / 10);
    }

    @Test
    void aHoldersOwnThawGoesFirst() throws Exception {
        // given
        FanNode holder = node();
        StoredSnapshot.make(holder.store, stored.snapshot(), CHUNKS, CHUNK_BYTES);
        service.takesPart(service.register(holder.fanOut), Peer.Role.HOLDER);
        FanNode other = node();
        service.takesPart(service.register(other.fanOut), Peer.Role.FETCHER);
        // when it thaws something else
        List<Map<String, Long>> read;
        try (Traffic.Urgent urgent = holder.traffic.urgent()) {
            read = bringAtOnce(List.of(other));
        }
        // then
        assertThat(sum(read, "s3")).isEqualTo(SNAPSHOT_BYTES);
        assertThat(other.fanOut.counts().failures().get("busy")).isPositive();
        assertThat(holder.fanOut.counts().servedBytes()).isZero();
    }

    @Test
    void twoOperationsOfOneNodeReadAChunkOnce() throws Exception {
        // given nobody else
        FanNode node = node();
        // when
        List<Map<String, Long>> read = bringAtOnce(List.of(node, node));
        // then
        assertThat(sum(read, ChunkSources.MEMORY)).isPositive();
        assertThat(s3.sentBytes()).isLessThan(SNAPSHOT_BYTES * 13 / 10);
    }

    @ParameterizedTest
    @EnumSource
    void aBadPeerNeverFailsAThaw(RoguePeer.Manner manner) throws Exception {
        // given
        try (RoguePeer rogue = new RoguePeer(manner)) {
            service.takesPart(UUID.randomUUID(), rogue.endpoint(), Peer.Role.FETCHER);
            Duration timeout = Duration.ofSeconds(manner == RoguePeer.Manner.STALLS ? 2 : 30);
            for (int i = 0; i < 2; i++) {
                service.takesPart(service.register(node(timeout).fanOut), Peer.Role.FETCHER);
            }
            // when
            bringAtOnce(nodes);
            // then all of it came from the store, the rogue's share too
            assertThat(rogue.asked()).isPositive();
            assertThat(s3.sentBytes()).isGreaterThanOrEqualTo(SNAPSHOT_BYTES);
            assertThat(nodes)
                    .anySatisfy(
                            node -> assertThat(node.fanOut.counts().failures().get(reason(manner)))
                                    .isPositive());
            assertThat(nodes)
                    .allSatisfy(
                            node -> assertThat(node.store.nvme().quarantined()).isZero());
        }
    }

    private static String reason(RoguePeer.Manner manner) {
        return switch (manner) {
            case CORRUPTS, MISCOUNTS -> "corrupt";
            case DIES -> "unreachable";
            case STALLS -> "timeout";
            case REFUSES -> "refused";
            case IS_BUSY -> "busy";
        };
    }

    @Test
    void aPeerThatIsGoneIsReplacedByAnother() throws Exception {
        // given one of four that nobody reaches any more
        for (int i = 0; i < 4; i++) {
            service.takesPart(service.register(node().fanOut), Peer.Role.FETCHER);
        }
        nodes.removeFirst().close();
        // when
        List<Map<String, Long>> read = bringAtOnce(nodes);
        // then the others divide its share
        assertThat(s3.sentBytes()).isLessThan(SNAPSHOT_BYTES * 13 / 10);
        assertThat(sum(read, ChunkSources.PEER)).isGreaterThan(SNAPSHOT_BYTES);
    }
}
