package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LoadedChunksTest {

    private static final int SLOTS = 64;

    @TempDir
    Path folder;

    private final LoadedChunks loaded = new LoadedChunks();
    private final AtomicInteger happened = new AtomicInteger();
    private MemoryTier memory;

    @BeforeEach
    void open() throws Exception {
        memory = MemoryTier.open(folder.resolve("pool"), Arena.ofAuto().allocate((long) SLOTS * Slot.BYTES, 4096));
    }

    /** A chunk in the pool that nobody holds. */
    private ChunkDigest chunk(int number) throws Exception {
        MemorySegment content = MemorySegment.ofArray(new byte[] {1, (byte) number});
        ChunkDigest digest = new TreeDigester().digest(content).content().orElseThrow();
        memory.put(digest, content);
        return digest;
    }

    private void add(ChunkDigest digest) {
        loaded.add(digest, memory.lease(digest, 2).orElseThrow());
    }

    @Test
    void whatIsThereIsNotWaitedFor() throws Exception {
        ChunkDigest first = chunk(1);
        add(first);
        loaded.whenThere(Set.of(first), happened::incrementAndGet);
        loaded.whenThere(Set.of(), happened::incrementAndGet);
        assertThat(happened).hasValue(2);
    }

    @Test
    void theLastOfThemWakesWhoWaitsOnce() throws Exception {
        ChunkDigest first = chunk(1);
        ChunkDigest second = chunk(2);
        ChunkDigest third = chunk(3);
        add(first);
        List<String> order = new ArrayList<>();
        loaded.whenThere(Set.of(first, second, third), () -> order.add("all"));
        loaded.whenThere(Set.of(second), () -> order.add("second"));
        // when, then
        add(second);
        assertThat(order).containsExactly("second");
        add(second);
        assertThat(order).containsExactly("second");
        add(third);
        assertThat(order).containsExactly("second", "all");
    }

    @Test
    void whoeverIsWokenFindsTheChunk() throws Exception {
        ChunkDigest first = chunk(1);
        loaded.whenThere(Set.of(first), () -> {
            assertThat(loaded.find(first)).isPresent();
            happened.incrementAndGet();
        });
        add(first);
        assertThat(happened).hasValue(1);
    }

    @Test
    void nobodyIsForgottenWhoBeginsToWaitWhileChunksAreAdded() throws Exception {
        List<ChunkDigest> chunks = new ArrayList<>();
        for (int number : IntStream.range(0, SLOTS).toArray()) {
            chunks.add(chunk(number));
        }
        CountDownLatch begun = new CountDownLatch(1);
        Thread adding = Thread.ofPlatform().start(() -> {
            begun.countDown();
            chunks.forEach(this::add);
        });
        begun.await();
        for (int at = 0; at < SLOTS - 1; at++) {
            loaded.whenThere(Set.of(chunks.get(at), chunks.get(at + 1)), happened::incrementAndGet);
        }
        adding.join();
        assertThat(happened).hasValue(SLOTS - 1);
    }

    @Test
    void whatIsClosedHoldsNothingAndWakesNobody() throws Exception {
        ChunkDigest first = chunk(1);
        ChunkDigest second = chunk(2);
        add(first);
        add(first);
        loaded.whenThere(Set.of(first, second), happened::incrementAndGet);
        assertThat(memory.claimable()).isEqualTo(SLOTS - 1);
        // when
        loaded.close();
        loaded.close();
        // then
        assertThat(memory.claimable()).isEqualTo(SLOTS);
        assertThat(happened).hasValue(0);
    }
}
