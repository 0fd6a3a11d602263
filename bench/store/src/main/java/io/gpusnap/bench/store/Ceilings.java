package io.gpusnap.bench.store;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.Compression;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** What this machine's cores do at most, all at once: copying memory, and the digest that every byte needs. */
final class Ceilings {

    private static final int PIECE_BYTES = TreeDigester.MAX_CHUNK_BYTES;
    private static final int PIECES = 128;
    private static final int ROUNDS = 3;
    /** For messages only. */
    private static final ChunkDigest ANY = new ChunkDigest("0".repeat(2 * ChunkDigest.BYTES));

    private Ceilings() {}

    private interface Work {
        void on(MemorySegment from, MemorySegment to) throws TierException;
    }

    static Map<String, Object> measure() throws InterruptedException, TierException {
        int threads = Runtime.getRuntime().availableProcessors();
        try (Arena arena = Arena.ofShared()) {
            MemorySegment weights = arena.allocate(PIECE_BYTES);
            Weights.fill(weights, 0, PIECE_BYTES, new SplittableRandom(1));
            Frame frame = compressed(weights);
            MemorySegment kept = arena.allocate(frame.bytes().length).copyFrom(MemorySegment.ofArray(frame.bytes()));
            return Map.of(
                    "copyBytesPerSecond",
                    best(threads, (from, to) -> to.copyFrom(from)),
                    "digestBytesPerSecond",
                    best(threads, (from, to) -> new TreeDigester().digest(from)),
                    "compressBytesPerSecond",
                    best(threads, (from, to) -> compressed(weights)),
                    "expandBytesPerSecond",
                    best(threads, (from, to) -> Compression.expand(ANY, frame.codec(), kept, to)),
                    "compressedRatio",
                    frame.bytes().length / (double) PIECE_BYTES);
        }
    }

    private record Frame(byte[] bytes, int codec) {}

    private static Frame compressed(MemorySegment content) throws TierException {
        return Compression.PLANES.compress(
                content, (bytes, codec) -> new Frame(bytes.toArray(ValueLayout.JAVA_BYTE), codec));
    }

    private static double best(int threads, Work work) throws InterruptedException {
        double best = 0;
        for (int round = 0; round < ROUNDS; round++) {
            best = Math.max(best, once(threads, work));
        }
        return best;
    }

    private static double once(int threads, Work work) throws InterruptedException {
        List<Thread> running = new ArrayList<>();
        Timer timer = new Timer();
        for (int i = 0; i < threads; i++) {
            running.add(Thread.ofPlatform().start(() -> pieces(work)));
        }
        for (Thread thread : running) {
            thread.join();
        }
        return (double) threads * PIECES * PIECE_BYTES / timer.lap();
    }

    /** Far apart enough that no cache holds them. */
    private static void pieces(Work work) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(32L * PIECE_BYTES, 4096);
            memory.fill((byte) 1);
            for (int i = 0; i < PIECES; i++) {
                long from = (i % 16) * (long) PIECE_BYTES;
                work.on(memory.asSlice(from, PIECE_BYTES), memory.asSlice(from + 16L * PIECE_BYTES, PIECE_BYTES));
            }
        } catch (TierException e) {
            throw new IllegalStateException(e);
        }
    }
}
