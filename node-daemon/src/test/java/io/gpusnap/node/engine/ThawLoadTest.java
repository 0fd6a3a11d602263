package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.ChunkLoader;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Chunks that the node's own store has, and a last one that only somebody nearby may have. */
class ThawLoadTest {

    private static final int SLOTS = 8;
    private static final int THREADS = 2;
    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path folder;

    private final CountDownLatch asked = new CountDownLatch(1);
    private final CountDownLatch answered = new CountDownLatch(1);
    private final List<ChunkRef> here = new ArrayList<>();
    private Optional<MemorySegment> nearby = Optional.empty();
    private StoreRoot root;
    private NvmeTier nvme;
    private MemoryTier memory;
    private ChunkRef last;

    @BeforeEach
    void open() throws Exception {
        root = StoreRoot.open(folder.resolve("store"));
        nvme = new NvmeTier(root, 0);
        memory = MemoryTier.open(folder.resolve("pool"), Arena.ofAuto().allocate((long) SLOTS * Slot.BYTES, 4096));
        for (byte number = 1; number <= 3; number++) {
            MemorySegment content = content(number);
            ChunkRef chunk = new TreeDigester().digest(content);
            nvme.put(digest(chunk), content);
            here.add(chunk);
        }
        last = new TreeDigester().digest(content((byte) 4));
    }

    @AfterEach
    void close() {
        root.close();
    }

    private static MemorySegment content(byte number) {
        return MemorySegment.ofArray(new byte[] {1, number});
    }

    private static ChunkDigest digest(ChunkRef chunk) {
        return chunk.content().orElseThrow();
    }

    private static Set<ChunkDigest> digests(List<ChunkRef> chunks) {
        return chunks.stream().map(ThawLoadTest::digest).collect(Collectors.toSet());
    }

    private List<ChunkRef> all() {
        List<ChunkRef> all = new ArrayList<>(here);
        all.add(last);
        return all;
    }

    private ThawLoad begun(List<ChunkRef> host, List<ChunkRef> device) {
        ChunkSources sources = ChunkSources.only(nvme).with(new SlowNeighbour());
        ThawLoad load = new ThawLoad(new ChunkLoader(sources, memory, new UUID(1, 1)), host, device, false, THREADS);
        load.start();
        return load;
    }

    /** Answers late. */
    private final class SlowNeighbour implements Nearby {

        @Override
        public int order(String window) {
            return 0;
        }

        @Override
        public Turn turn(List<ChunkRef> chunks, String window, Target target)
                throws TierException, InterruptedException {
            asked.countDown();
            answered.await();
            if (nearby.isEmpty()) {
                return Nearby.nobody().turn(chunks, window, target);
            }
            MemorySegment place = target.memory(last).asSlice(0, last.sizeBytes());
            place.copyFrom(nearby.get());
            target.arrived(last, place);
            return Nearby.nobody().turn(List.of(), window, target);
        }
    }

    private static void awaitEvent(CountDownLatch event) throws InterruptedException {
        assertThat(event.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
    }

    private static void assertMissing(ThawLoad load) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(load::device)
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MISSING));
    }

    @Test
    void whatIsThereIsUsedBeforeTheLastOneIs() throws Exception {
        nearby = Optional.of(content((byte) 4));
        CountDownLatch some = new CountDownLatch(1);
        CountDownLatch whole = new CountDownLatch(1);
        try (ThawLoad load = begun(List.of(), all())) {
            load.coming().whenThere(digests(here), some::countDown);
            load.coming().whenThere(digests(all()), whole::countDown);
            // when, then
            awaitEvent(some);
            assertThat(load.reads()).isTrue();
            assertThat(whole.getCount()).isOne();
            answered.countDown();
            awaitEvent(whole);
            assertThat(load.device()).isSameAs(load.coming());
            assertThat(load.coming().find(digest(last))).isPresent();
        }
        assertThat(memory.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void aChunkThatDoesNotComeTakesNothingAwayFromWhoUsesTheOthers() throws Exception {
        CountDownLatch whole = new CountDownLatch(1);
        try (ThawLoad load = begun(List.of(), all())) {
            CountDownLatch some = new CountDownLatch(1);
            load.coming().whenThere(digests(here), some::countDown);
            load.coming().whenThere(digests(all()), whole::countDown);
            awaitEvent(some);
            // when
            answered.countDown();
            // then
            assertMissing(load);
            assertThat(whole.getCount()).isOne();
            assertThat(here).allMatch(chunk -> load.coming().find(digest(chunk)).isPresent());
            assertThat(memory.claimable()).isEqualTo(SLOTS - here.size());
        }
        assertThat(memory.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void whereHostAreasFailDeviceMemoryFailsInTheSameWay() throws Exception {
        answered.countDown();
        try (ThawLoad load = begun(List.of(last), here)) {
            assertMissing(load);
            assertThat(load.reads()).isFalse();
        }
        assertThat(memory.claimable()).isEqualTo(SLOTS);
    }

    @Test
    void whatIsClosedWhileItWaitsEndsAndHoldsNothing() throws Exception {
        ThawLoad load = begun(List.of(), all());
        awaitEvent(asked);
        // when
        load.close();
        // then
        assertThatThrownBy(load::device).isInstanceOf(RuntimeException.class);
        assertThat(memory.claimable()).isEqualTo(SLOTS);
    }
}
