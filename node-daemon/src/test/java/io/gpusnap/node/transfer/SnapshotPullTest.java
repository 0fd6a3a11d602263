package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.BufferPool;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a pull does between a chunk's arrival and its proof: each chunk has a size of its own, which its progress tells. */
@Timeout(120)
class SnapshotPullTest {

    private static final int CHUNKS = 16;
    private static final int LEAST_BYTES = 1_500_000;
    private static final int PACK_BYTES = 16 << 20;
    /** Of four or five chunks. */
    private static final int GROUP_BYTES = 4 * LEAST_BYTES;

    @TempDir
    Path folder;

    private final List<ChunkRef> chunks = new ArrayList<>();
    /** How often each size was told of: it has come, it is proven. */
    private final Map<Long, Integer> told = new HashMap<>();

    private final CountDownLatch firstProof = new CountDownLatch(1);
    private PackTier tier;
    private SnapshotStore store;

    @BeforeEach
    void aShareWithASnapshotAndANodeWithout() throws Exception {
        tier = new PackTier(
                new PackSettings("nfs", PACK_BYTES),
                new NfsStore(NfsSettings.of(Files.createDirectories(folder.resolve("share")), Duration.ofSeconds(60))),
                FrameSettings.none());
        for (int i = 0; i < CHUNKS; i++) {
            byte[] content = new byte[LEAST_BYTES + i];
            new Random(i).nextBytes(content);
            ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
            tier.put(new ChunkDigest(chunk.digest()), MemorySegment.ofArray(content));
            chunks.add(chunk);
        }
        tier.sync();
        store = StoredSnapshot.open(folder.resolve("node"), tier);
    }

    @AfterEach
    void close() {
        store.close();
    }

    /** What happens when a chunk has been stored, before it can be proven. */
    private interface OnArrival {
        void of(ChunkRef chunk) throws Exception;
    }

    private synchronized int tell(long bytes) {
        return told.merge(bytes, 1, Integer::sum);
    }

    private void pull(OnArrival arrival) throws Exception {
        Transfer transfer = new Transfer(
                1,
                bytes -> {
                    if (tell(bytes) == 2) {
                        firstProof.countDown();
                        return;
                    }
                    try {
                        arrival.of(chunks.get((int) bytes - LEAST_BYTES));
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                },
                () -> {});
        try (SavePins pins = store.pins()) {
            new SnapshotPull(store, store.sources(), pins, GROUP_BYTES)
                    .bring(chunks, transfer, new Traffic(0).share(Traffic.Priority.URGENT, 0));
        }
    }

    private Path file(ChunkRef chunk) {
        return folder.resolve("node/nvme/chunks")
                .resolve(chunk.digest().substring(0, 2))
                .resolve(chunk.digest());
    }

    private boolean isInQuarantine(ChunkRef chunk) {
        return Files.exists(folder.resolve("node/nvme/quarantine").resolve(chunk.digest()));
    }

    private void damage(ChunkRef chunk) throws IOException {
        byte[] content = Files.readAllBytes(file(chunk));
        content[content.length / 2] ^= 1;
        Files.write(file(chunk), content);
    }

    private synchronized boolean allHaveCome() {
        return told.size() == CHUNKS;
    }

    @Test
    void aGroupIsProvenWhileTheRestIsStillComing() throws Exception {
        // when the last chunk to come does not go on before one is proven
        pull(chunk -> {
            if (allHaveCome()) {
                assertThat(firstProof.await(60, TimeUnit.SECONDS)).isTrue();
            }
        });
        // then
        assertThat(told)
                .hasSize(CHUNKS)
                .allSatisfy((bytes, times) -> assertThat(times).isEqualTo(2));
        assertThat(chunks).allSatisfy(chunk -> assertThat(file(chunk)).exists());
    }

    /** The one that is stored as the first is in the first group, the last one in what is left at the end. */
    @ParameterizedTest
    @ValueSource(ints = {1, CHUNKS / 2, CHUNKS})
    void aChunkThatIsDamagedBetweenItsWriteAndItsProofIsCaught(int which) {
        ChunkRef[] damaged = {null};
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> pull(chunk -> {
                    synchronized (this) {
                        if (told.size() >= which && damaged[0] == null) {
                            damaged[0] = chunk;
                            damage(chunk);
                        }
                    }
                }))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT))
                .withMessageContaining("has content of digest");
        assertThat(isInQuarantine(damaged[0])).isTrue();
    }

    @Test
    void damageInAnEarlyGroupEndsThePullBeforeTheRestHasCome() {
        // given a pull whose last chunk does not come before the damage is seen
        ChunkRef[] damaged = {null};
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> pull(chunk -> {
                    synchronized (this) {
                        if (damaged[0] == null) {
                            damaged[0] = chunk;
                            damage(chunk);
                        }
                    }
                    if (allHaveCome()) {
                        awaitQuarantine(damaged[0]);
                    }
                }))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
    }

    /** A name that cannot be opened for it tells of the fsync. */
    @Test
    void whatIsHereWithoutAProofIsMadeDurableBeforeItIsRead() throws Exception {
        // given
        ChunkRef left = chunks.getFirst();
        Files.createDirectories(file(left).getParent());
        Files.createSymbolicLink(file(left), folder.resolve("elsewhere"));
        try (SavePins pins = store.pins()) {
            SnapshotPull pull = new SnapshotPull(store, store.sources(), pins);
            // when, then
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> pull.damaged(List.of(left), new Transfer(1, bytes -> {}, () -> {})))
                    .withMessageContaining("fsync");
        }
    }

    private void awaitQuarantine(ChunkRef chunk) throws InterruptedException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (!isInQuarantine(chunk)) {
            assertThat(System.nanoTime()).isLessThan(end);
            Thread.sleep(10);
        }
    }

    @Test
    void pullAfterPullTakesTheSameMemory() throws Exception {
        BufferPool pool = BufferPool.ofProcess();
        long lent = pool.lentBytes();
        for (int i = 0; i < 6; i++) {
            // when
            told.clear();
            pull(chunk -> {});
            // then nothing of it is left, but for what the next one takes
            assertThat(pool.lentBytes()).isEqualTo(lent);
            assertThat(pool.idleBytes()).isBetween(1L, 64L << 20);
            for (ChunkRef chunk : chunks) {
                store.nvme().delete(new ChunkDigest(chunk.digest()));
            }
        }
    }

    @Test
    void aPullThatFailsGivesItsMemoryBack() {
        long lent = BufferPool.ofProcess().lentBytes();
        assertThatException()
                .isThrownBy(() -> pull(chunk -> {
                    throw new IOException("no more");
                }));
        assertThat(BufferPool.ofProcess().lentBytes()).isEqualTo(lent);
    }
}
