package io.gpusnap.node.tier.pack;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Makes chunks smaller where that is worth the time at the other end; a sample tells whether, and in which of two ways: by zstd as they
 * are, or by planes. Weights are numbers of 16 bits, of which one byte holds what is left of a mantissa and is as good as random, and the
 * other holds sign and exponent: apart from each other the first is kept as it is and costs nothing, and the second becomes a third.
 * Thread-safe: whoever is at work has memory of its own.
 */
public final class Compression {

    /** Takes a chunk that was compressed. */
    @FunctionalInterface
    public interface Use<T> {
        /**
         * @param bytes valid until the call returns
         * @param codec bits of {@link Frames}; {@link Frames#PLAIN}: it does not shrink, and the bytes are its own
         */
        T of(MemorySegment bytes, int codec) throws TierException;
    }

    private static final int LEVEL = 1;
    private static final int SAMPLE_BYTES = 64 << 10;
    /** Of its size: less gain is not worth the time at the other end. */
    private static final double WORTH = 0.9;
    /** Taken apart and put together at once. */
    private static final int STEP_BYTES = Long.BYTES;

    private static final ValueLayout.OfLong STEP = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt HALF = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final long LOW_BYTES = 0x00FF_00FF_00FF_00FFL;
    private static final long HIGH_BYTES = ~LOW_BYTES;

    private final Queue<Work> idle = new ConcurrentLinkedQueue<>();

    public <T> T compress(MemorySegment content, Use<T> use) throws TierException {
        Work work = take();
        try {
            return work.compress(content, use);
        } finally {
            idle.add(work);
        }
    }

    /**
     * Never writes more than the chunk has, whatever the bytes say of themselves.
     *
     * @param codec with {@link Frames#ZSTD}
     * @param target of the chunk's size
     * @throws TierException CORRUPT
     */
    public void expand(ChunkDigest digest, int codec, MemorySegment bytes, MemorySegment target) throws TierException {
        if (bytes.byteSize() >= target.byteSize()) {
            throw new TierException(
                    Reason.CORRUPT, "chunk " + digest + " does not expand: it is compressed, and no shorter for it");
        }
        Work work = take();
        try {
            work.expand(digest, codec, bytes, target);
        } finally {
            idle.add(work);
        }
    }

    private Work take() {
        Work free = idle.poll();
        return free == null ? new Work() : free;
    }

    /** Used by one thread at a time. */
    private static final class Work {

        private final MemorySegment frame = Arena.ofAuto().allocate(Zstd.compressBound(TreeDigester.MAX_CHUNK_BYTES));
        private final MemorySegment plane = Arena.ofAuto().allocate(TreeDigester.MAX_CHUNK_BYTES / 2);
        /** For content that is not native memory. */
        private final MemorySegment copy = Arena.ofAuto().allocate(TreeDigester.MAX_CHUNK_BYTES);

        <T> T compress(MemorySegment content, Use<T> use) throws TierException {
            MemorySegment source = content;
            if (!content.isNative()) {
                source = copy.asSlice(0, content.byteSize()).copyFrom(content);
            }
            MemorySegment sample = source.asSlice(0, Math.min(SAMPLE_BYTES, source.byteSize()));
            long whole = zstd(sample);
            long planes =
                    sample.byteSize() == SAMPLE_BYTES && source.byteSize() % STEP_BYTES == 0 ? planes(sample) : -1;
            int codec = planes > 0 && (whole < 0 || planes < whole) ? Frames.ZSTD | Frames.PLANES : Frames.ZSTD;
            long found = Math.max(whole, planes) < 0 ? -1 : codec == Frames.ZSTD ? zstd(source) : planes(source);
            return found > 0 ? use.of(frame.asSlice(0, found), codec) : use.of(content, Frames.PLAIN);
        }

        /** Into the frame; answers with its bytes, or -1 when it is not worth it. */
        private long zstd(MemorySegment content) {
            return ifWorth(zstd(content, frame), content);
        }

        /** As {@link #zstd(MemorySegment)}. */
        private long planes(MemorySegment content) {
            long half = content.byteSize() / 2;
            apart(content, frame, plane);
            return ifWorth(half + zstd(plane.asSlice(0, half), frame.asSlice(half)), content);
        }

        private static long ifWorth(long bytes, MemorySegment content) {
            return bytes > WORTH * content.byteSize() ? -1 : bytes;
        }

        /** @param target has room for it, even when it does not shrink */
        private static long zstd(MemorySegment content, MemorySegment target) {
            return Zstd.compressDirectByteBuffer(
                    target.asByteBuffer(),
                    0,
                    (int) target.byteSize(),
                    content.asByteBuffer(),
                    0,
                    (int) content.byteSize(),
                    LEVEL);
        }

        private static void apart(MemorySegment content, MemorySegment low, MemorySegment high) {
            for (long at = 0; at < content.byteSize(); at += STEP_BYTES) {
                long step = content.get(STEP, at);
                low.set(HALF, at / 2, (int) Long.compress(step, LOW_BYTES));
                high.set(HALF, at / 2, (int) Long.compress(step, HIGH_BYTES));
            }
        }

        private static void together(MemorySegment low, MemorySegment high, MemorySegment target) {
            for (long at = 0; at < target.byteSize(); at += STEP_BYTES) {
                target.set(
                        STEP,
                        at,
                        Long.expand(low.get(HALF, at / 2), LOW_BYTES)
                                | Long.expand(high.get(HALF, at / 2), HIGH_BYTES));
            }
        }

        void expand(ChunkDigest digest, int codec, MemorySegment bytes, MemorySegment target) throws TierException {
            MemorySegment source = bytes;
            if (!bytes.isNative()) {
                source = frame.asSlice(0, bytes.byteSize()).copyFrom(bytes);
            }
            MemorySegment whole = target.isNative() ? target : copy.asSlice(0, target.byteSize());
            if ((codec & Frames.PLANES) == 0) {
                unzip(digest, source, whole);
            } else {
                long half = target.byteSize() / 2;
                if (target.byteSize() % STEP_BYTES != 0 || source.byteSize() <= half) {
                    throw new TierException(Reason.CORRUPT, "chunk " + digest + " is not of two planes");
                }
                MemorySegment high = plane.asSlice(0, half);
                unzip(digest, source.asSlice(half), high);
                together(source, high, whole);
            }
            if (!target.isNative()) {
                target.copyFrom(whole);
            }
        }

        private static void unzip(ChunkDigest digest, MemorySegment bytes, MemorySegment target) throws TierException {
            ByteBuffer into = target.asByteBuffer();
            long found;
            try {
                found = Zstd.decompressDirectByteBuffer(
                        into, 0, into.capacity(), bytes.asByteBuffer(), 0, (int) bytes.byteSize());
            } catch (ZstdException e) {
                throw new TierException(
                        Reason.CORRUPT, "chunk %s does not expand: %s".formatted(digest, e.getMessage()), e);
            }
            if (found != target.byteSize()) {
                throw new TierException(
                        Reason.CORRUPT,
                        "chunk %s expands to %d bytes, not %d".formatted(digest, found, target.byteSize()));
            }
        }
    }
}
