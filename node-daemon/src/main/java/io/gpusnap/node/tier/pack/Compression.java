package io.gpusnap.node.tier.pack;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Makes chunks smaller where that is worth the time at the other end; a sample tells whether, and in which of two ways: by zstd as they
 * are, or by planes. Weights are numbers of 16 bits, of which one byte holds what is left of a mantissa and is as good as random, and the
 * other holds sign and exponent: apart from each other the first is kept as it is and costs nothing, and the second becomes a third.
 */
public enum Compression {
    OFF,
    ZSTD,
    /** By zstd or by planes, whichever is better. */
    PLANES;

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

    public <T> T compress(MemorySegment content, Use<T> use) throws TierException {
        if (this == OFF) {
            return use.of(content, Frames.PLAIN);
        }
        long sizeBytes = content.byteSize();
        long frameBytes = Zstd.compressBound(sizeBytes);
        try (Buffers buffers = new Buffers()) {
            MemorySegment memory = buffers.take(frameBytes + sizeBytes / 2);
            MemorySegment frame = memory.asSlice(0, frameBytes);
            MemorySegment plane = memory.asSlice(frameBytes, sizeBytes / 2);
            MemorySegment source = content.isNative() ? content : copy(content, buffers);
            MemorySegment sample = source.asSlice(0, Math.min(SAMPLE_BYTES, sizeBytes));
            boolean byPlanes = this == PLANES && sizeBytes >= SAMPLE_BYTES && sizeBytes % STEP_BYTES == 0;
            long whole = zstd(sample, frame);
            long planes = byPlanes ? planes(sample, frame, plane) : sizeBytes;
            if (Math.min(whole, planes) > WORTH * sample.byteSize()) {
                return use.of(content, Frames.PLAIN);
            }
            long found = planes < whole ? planes(source, frame, plane) : zstd(source, frame);
            return found > WORTH * sizeBytes
                    ? use.of(content, Frames.PLAIN)
                    : use.of(frame.asSlice(0, found), planes < whole ? Frames.ZSTD | Frames.PLANES : Frames.ZSTD);
        }
    }

    private static MemorySegment copy(MemorySegment content, Buffers buffers) {
        return buffers.take(content.byteSize()).asSlice(0, content.byteSize()).copyFrom(content);
    }

    /** Answers with how many bytes of the frame it takes. */
    private static long planes(MemorySegment content, MemorySegment frame, MemorySegment plane) {
        long half = content.byteSize() / 2;
        apart(content, frame, plane);
        return half + zstd(plane.asSlice(0, half), frame.asSlice(half));
    }

    /** As {@link #planes}; the frame has room, even when the content does not shrink. */
    private static long zstd(MemorySegment content, MemorySegment frame) {
        return Zstd.compressDirectByteBuffer(
                frame.asByteBuffer(),
                0,
                (int) frame.byteSize(),
                content.asByteBuffer(),
                0,
                (int) content.byteSize(),
                LEVEL);
    }

    /**
     * Never writes more than the chunk has, whatever the bytes say of themselves.
     *
     * @param codec with {@link Frames#ZSTD}
     * @param target of the chunk's size
     * @throws TierException CORRUPT
     */
    public static void expand(ChunkDigest digest, int codec, MemorySegment bytes, MemorySegment target)
            throws TierException {
        if (bytes.byteSize() >= target.byteSize()) {
            throw new TierException(
                    Reason.CORRUPT, "chunk " + digest + " does not expand: it is compressed, and no shorter for it");
        }
        long sizeBytes = target.byteSize();
        try (Buffers buffers = new Buffers()) {
            MemorySegment source = bytes.isNative() ? bytes : copy(bytes, buffers);
            MemorySegment whole =
                    target.isNative() ? target : buffers.take(sizeBytes).asSlice(0, sizeBytes);
            if ((codec & Frames.PLANES) == 0) {
                unzip(digest, source, whole);
            } else {
                long half = sizeBytes / 2;
                if (sizeBytes % STEP_BYTES != 0 || source.byteSize() <= half) {
                    throw new TierException(Reason.CORRUPT, "chunk " + digest + " is not of two planes");
                }
                MemorySegment high = buffers.take(half).asSlice(0, half);
                unzip(digest, source.asSlice(half), high);
                together(source, high, whole);
            }
            if (!target.isNative()) {
                target.copyFrom(whole);
            }
        }
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
                    Long.expand(low.get(HALF, at / 2), LOW_BYTES) | Long.expand(high.get(HALF, at / 2), HIGH_BYTES));
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
                    Reason.CORRUPT, "chunk %s expands to %d bytes, not %d".formatted(digest, found, target.byteSize()));
        }
    }
}
