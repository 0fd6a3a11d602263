package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What every tier must do. A tier's own test is a subclass that opens it. */
public abstract class ChunkTierContract {

    /** Less than a whole slot, and enough for direct writes. */
    private static final int HALVED_BYTES = (3 << 20) + 5;

    private final MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
    private ChunkTier tier;

    /** What happens in the middle of a write; what it throws is the medium's failure. */
    @FunctionalInterface
    protected interface Middle {
        void reached() throws IOException;
    }

    /** Opens the same tier again on every call, as a new daemon would. */
    protected abstract ChunkTier open() throws Exception;

    /** The same on a medium where whatever is written from then on stops half-way for this. */
    protected abstract ChunkTier open(Middle middle) throws Exception;

    /** Who reads while that one writes: itself, unless others can. */
    protected ChunkTier reader(ChunkTier writing) throws Exception {
        return writing;
    }

    /** What the next daemon finds, were the one that has the tier open killed now. */
    protected abstract ChunkTier afterAKill() throws Exception;

    /** Nothing of a chunk takes room on the medium, under whatever name. */
    protected abstract void assertHoldsNothing() throws Exception;

    /** What is put: bytes that nothing makes smaller, unless a tier is to do that. */
    protected byte[] content(int size, long seed) {
        return random(size, seed);
    }

    /** What a tier takes at least for content of this size. */
    protected long leastBytes(int size) {
        return size;
    }

    @BeforeEach
    void openTier() throws Exception {
        tier = open();
    }

    @AfterEach
    void closeTier() {
        tier.close();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4095, 4096, 4097, 1 << 20, 4 << 20})
    void whatWasPutIsRead(int size) throws Exception {
        // given
        byte[] content = content(size, size);
        tier.put(digestOf(content), MemorySegment.ofArray(content));
        tier.sync();
        // when
        buffer.fill((byte) 0x55);
        tier.read(digestOf(content), size, buffer);
        // then
        assertThat(buffer.asSlice(0, size).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(content);
        assertThat(tier.contains(digestOf(content), size)).isTrue();
    }

    @Test
    void aSecondPutStoresNothing() throws Exception {
        byte[] content = content(5000, 1);
        assertThat(tier.put(digestOf(content), MemorySegment.ofArray(content))).isTrue();
        assertThat(tier.put(digestOf(content), MemorySegment.ofArray(content))).isFalse();
        assertThat(tier.list()).containsExactly(digestOf(content));
    }

    @Test
    void aChunkOfAnotherSizeIsAbsentForContainsAndCorruptForRead() throws Exception {
        // given
        byte[] content = random(9000, 2);
        ChunkDigest digest = digestOf(content);
        tier.put(digest, MemorySegment.ofArray(content));
        // when, then
        assertThat(tier.contains(digest, 8999)).isFalse();
        assertReason(Reason.CORRUPT, () -> read(digest, 8999));
        assertReason(Reason.CORRUPT, () -> read(digest, 9001));
    }

    @Test
    void anAbsentChunkIsMissing() {
        assertReason(Reason.MISSING, () -> tier.read(digestOf(content(10, 4)), 10, buffer));
    }

    @Test
    void aDeletedChunkIsGone() throws Exception {
        byte[] content = content(100, 5);
        tier.put(digestOf(content), MemorySegment.ofArray(content));
        assertThat(tier.delete(digestOf(content))).isTrue();
        assertThat(tier.delete(digestOf(content))).isFalse();
        assertThat(tier.contains(digestOf(content), 100)).isFalse();
        assertThat(tier.list()).isEmpty();
    }

    @Test
    void syncedChunksOutliveTheTierObject() throws Exception {
        byte[] content = content(70_000, 6);
        tier.put(digestOf(content), MemorySegment.ofArray(content));
        tier.sync();
        tier.close();
        // when
        tier = open();
        // then
        read(digestOf(content), content.length);
        assertThat(buffer.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE))
                .isEqualTo(content);
    }

    @Test
    void manyThreadsPuttingTheSameChunksLeaveEachOnce() throws Exception {
        // given
        List<byte[]> contents = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            contents.add(content(50_000 + i, i));
        }
        // when
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            List<Callable<Boolean>> puts = new ArrayList<>();
            for (int round = 0; round < 4; round++) {
                for (byte[] content : contents) {
                    puts.add(() -> tier.put(digestOf(content), MemorySegment.ofArray(content)));
                }
            }
            for (Future<Boolean> put : executor.invokeAll(puts)) {
                put.get();
            }
        }
        // then
        assertThat(tier.list()).hasSize(12);
        for (byte[] content : contents) {
            read(digestOf(content), content.length);
            assertThat(buffer.asSlice(0, content.length).toArray(ValueLayout.JAVA_BYTE))
                    .isEqualTo(content);
        }
    }

    @Test
    void aChunkThatIsHalfWrittenIsThereForNobody() throws Exception {
        // given
        byte[] content = content(HALVED_BYTES, 11);
        ChunkDigest digest = digestOf(content);
        AtomicInteger stops = new AtomicInteger();
        Queue<String> found = new ConcurrentLinkedQueue<>();
        AtomicReference<ChunkTier> writing = new AtomicReference<>();
        tier.close();
        tier = open(() -> {
            stops.incrementAndGet();
            try {
                found.addAll(look(reader(writing.get()), digest));
                found.addAll(look(afterAKill(), digest));
            } catch (Exception e) {
                found.add(e.toString());
            }
        });
        writing.set(tier);
        // when
        assertThat(tier.put(digest, MemorySegment.ofArray(content))).isTrue();
        tier.sync();
        // then
        assertThat(stops.get()).isPositive();
        assertThat(found).isEmpty();
        for (ChunkTier one : List.of(reader(tier), afterAKill())) {
            assertThat(one.list()).containsExactly(digest);
            buffer.fill((byte) 0x55);
            one.read(digest, content.length, buffer);
            assertThat(buffer.asSlice(0, content.length).mismatch(MemorySegment.ofArray(content)))
                    .isEqualTo(-1);
        }
    }

    /** All ways to find it. */
    private static List<String> look(ChunkTier tier, ChunkDigest digest) throws TierException {
        List<String> found = new ArrayList<>();
        if (tier.list().contains(digest)) {
            found.add("listed");
        }
        if (tier.contains(digest, HALVED_BYTES)) {
            found.add("contained");
        }
        try {
            tier.read(digest, HALVED_BYTES, Arena.ofAuto().allocate(HALVED_BYTES, 4096));
            found.add("read");
        } catch (TierException e) {
            if (e.reason() != Reason.MISSING) {
                found.add(e.toString());
            }
        }
        return found;
    }

    @Test
    void aPutThatFailsHalfWayLeavesNothingBehind() throws Exception {
        // given
        byte[] content = content(HALVED_BYTES, 12);
        ChunkDigest digest = digestOf(content);
        AtomicBoolean broken = new AtomicBoolean(true);
        tier.close();
        tier = open(() -> {
            if (broken.get()) {
                throw new IOException("Input/output error");
            }
        });
        // when
        assertThatThrownBy(() -> {
                    tier.put(digest, MemorySegment.ofArray(content));
                    tier.sync();
                })
                .isNotInstanceOf(AssertionError.class);
        // then
        for (ChunkTier one : List.of(reader(tier), afterAKill())) {
            assertThat(look(one, digest)).isEmpty();
            assertThat(one.usage().usedBytes()).isZero();
        }
        assertHoldsNothing();
        // when the medium works again
        broken.set(false);
        Awaitility.await().ignoreExceptionsInstanceOf(TierException.class).until(() -> {
            tier.put(digest, MemorySegment.ofArray(content));
            tier.sync();
            return true;
        });
        // then
        for (ChunkTier one : List.of(reader(tier), afterAKill())) {
            assertThat(look(one, digest)).containsExactly("listed", "contained", "read");
        }
    }

    @Test
    void usageAddsUp() throws Exception {
        TierUsage usage = tier.usage();
        assertThat(usage.kind()).isEqualTo(tier.kind());
        assertThat(usage.capacityBytes()).isPositive();
        assertThat(usage.freeBytes()).isBetween(0L, usage.capacityBytes());
    }

    @Test
    void usedIsWhatTheTiersOwnChunksTake() throws Exception {
        // given an empty tier, whatever else lies on its medium
        assertThat(tier.usage().usedBytes()).isZero();
        byte[] content = content(5000, 9);
        // when
        tier.put(digestOf(content), MemorySegment.ofArray(content));
        tier.sync();
        // then
        long used = tier.usage().usedBytes();
        assertThat(used).isBetween(leastBytes(content.length), 4L << 20);
        tier.close();
        tier = open();
        assertThat(tier.usage().usedBytes()).isEqualTo(used);
        tier.delete(digestOf(content));
        assertThat(tier.usage().usedBytes()).isZero();
    }

    private void read(ChunkDigest digest, int size) throws TierException {
        tier.read(digest, size, buffer);
    }

    static void assertReason(Reason reason, ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(reason));
    }

    static byte[] random(int size, long seed) {
        byte[] content = new byte[size];
        new Random(seed).nextBytes(content);
        content[0] |= 1;
        return content;
    }

    static ChunkDigest digestOf(byte[] content) {
        return new TreeDigester()
                .digest(MemorySegment.ofArray(content))
                .content()
                .orElseThrow();
    }
}
