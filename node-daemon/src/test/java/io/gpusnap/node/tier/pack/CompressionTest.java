package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

public class CompressionTest {

    private static final ChunkDigest DIGEST = new ChunkDigest("ab".repeat(ChunkDigest.BYTES));

    private record Made(byte[] bytes, int codec) {}

    private Made compress(MemorySegment content) throws TierException {
        return Compression.PLANES.compress(
                content, (bytes, codec) -> new Made(bytes.toArray(ValueLayout.JAVA_BYTE), codec));
    }

    private byte[] expand(Made made, MemorySegment target) throws TierException {
        Compression.expand(DIGEST, made.codec(), nativeOf(made.bytes()), target);
        return target.toArray(ValueLayout.JAVA_BYTE);
    }

    private static MemorySegment nativeOf(byte[] bytes) {
        return Arena.ofAuto().allocate(bytes.length).copyFrom(MemorySegment.ofArray(bytes));
    }

    /** As weights are: bf16, of a normal distribution. */
    public static byte[] weights(int sizeBytes, long seed) {
        ByteBuffer bytes = ByteBuffer.allocate(sizeBytes).order(ByteOrder.LITTLE_ENDIAN);
        Random random = new Random(seed);
        while (bytes.remaining() >= Short.BYTES) {
            bytes.putShort((short) (Float.floatToRawIntBits((float) random.nextGaussian() * 0.02f) >>> 16));
        }
        bytes.array()[0] |= 1; // not zero, however short
        return bytes.array();
    }

    private static byte[] random(int sizeBytes) {
        byte[] bytes = new byte[sizeBytes];
        new Random(2).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(ints = {64 << 10, 1 << 20, TreeDigester.MAX_CHUNK_BYTES})
    void weightsBecomeTwoPlanesAndAThirdSmaller(int sizeBytes) throws Exception {
        byte[] content = weights(sizeBytes, 1);

        Made made = compress(nativeOf(content));

        assertThat(made.codec()).isEqualTo(Frames.ZSTD | Frames.PLANES);
        assertThat(made.bytes().length / (double) sizeBytes).isBetween(0.6, 0.7);
        // the plane of mantissas lies as it is
        assertThat(made.bytes()[100]).isEqualTo(content[200]);
        assertThat(expand(made, Arena.ofAuto().allocate(sizeBytes))).isEqualTo(content);
        assertThat(expand(made, MemorySegment.ofArray(new byte[sizeBytes]))).isEqualTo(content);
    }

    @Test
    void whereDaemonsMayNotKnowPlanesItIsZstd() throws Exception {
        byte[] content = weights(1 << 20, 1);
        Made made = Compression.ZSTD.compress(
                nativeOf(content), (bytes, codec) -> new Made(bytes.toArray(ValueLayout.JAVA_BYTE), codec));
        assertThat(made.codec()).isEqualTo(Frames.ZSTD);
        assertThat(expand(made, Arena.ofAuto().allocate(content.length))).isEqualTo(content);
        assertThat(Compression.OFF.<Integer>compress(nativeOf(content), (bytes, codec) -> codec))
                .isEqualTo(Frames.PLAIN);
    }

    @Test
    void heapMemoryIsCompressedAsNativeMemoryIs() throws Exception {
        byte[] content = weights(1 << 20, 1);
        assertThat(compress(MemorySegment.ofArray(content)))
                .usingRecursiveComparison()
                .isEqualTo(compress(nativeOf(content)));
    }

    @ParameterizedTest
    @ValueSource(ints = {40, 5000, (64 << 10) + 3, 1 << 20, TreeDigester.MAX_CHUNK_BYTES})
    void whatZstdDoesWellStaysInOnePiece(int sizeBytes) throws Exception {
        byte[] content = SealedTierTest.text(sizeBytes);

        Made made = compress(nativeOf(content));

        assertThat(made.codec()).isEqualTo(sizeBytes == 40 ? Frames.PLAIN : Frames.ZSTD);
        if (sizeBytes > 40) {
            assertThat(expand(made, Arena.ofAuto().allocate(sizeBytes))).isEqualTo(content);
        }
    }

    @Test
    void weightsWhoseNumberOfBytesIsOddStillShrinkByZstd() throws Exception {
        byte[] content = Arrays.copyOf(weights(1 << 20, 1), (1 << 20) - 1);
        Made made = compress(nativeOf(content));
        assertThat(made.codec()).isEqualTo(Frames.ZSTD);
        assertThat(expand(made, Arena.ofAuto().allocate(content.length))).isEqualTo(content);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 64 << 10, TreeDigester.MAX_CHUNK_BYTES})
    void whatDoesNotShrinkIsLeftAsItIs(int sizeBytes) throws Exception {
        byte[] content = random(sizeBytes);
        assertThat(compress(nativeOf(content))).usingRecursiveComparison().isEqualTo(new Made(content, Frames.PLAIN));
    }

    @Test
    void aChunkWhoseBeginningPromisesMoreThanTheRestHoldsIsLeftAsItIs() throws Exception {
        byte[] content = random(TreeDigester.MAX_CHUNK_BYTES);
        System.arraycopy(SealedTierTest.text(64 << 10), 0, content, 0, 64 << 10);
        assertThat(compress(nativeOf(content)).codec()).isEqualTo(Frames.PLAIN);
    }

    @Test
    void whatIsWrongIsRefusedAndWritesNotAByteBeyondTheChunk() throws Exception {
        int sizeBytes = 1 << 20;
        Made made = compress(nativeOf(weights(sizeBytes, 1)));
        MemorySegment memory = Arena.ofAuto().allocate(2L * sizeBytes);
        MemorySegment target = memory.asSlice(0, sizeBytes);
        byte[] bomb = new byte[sizeBytes / 2 + 1];
        byte[] zeros = Zstd.compress(new byte[64 << 20]);
        byte[] ofTwo = Arrays.copyOf(bomb, sizeBytes / 2 + zeros.length);
        System.arraycopy(zeros, 0, ofTwo, sizeBytes / 2, zeros.length);

        SealedTierTest.assertFails(Reason.CORRUPT, "expand", () -> expand(cut(made, made.bytes().length - 1), target));
        SealedTierTest.assertFails(Reason.CORRUPT, "two planes", () -> expand(cut(made, sizeBytes / 2), target));
        SealedTierTest.assertFails(Reason.CORRUPT, "expand", () -> expand(new Made(bomb, made.codec()), target));
        SealedTierTest.assertFails(Reason.CORRUPT, "expand", () -> expand(new Made(ofTwo, made.codec()), target));
        SealedTierTest.assertFails(Reason.CORRUPT, "expand", () -> expand(new Made(zeros, Frames.ZSTD), target));
        SealedTierTest.assertFails(Reason.CORRUPT, "no shorter", () -> expand(made, memory.asSlice(0, 8)));
        SealedTierTest.assertFails(Reason.CORRUPT, "two planes", () -> expand(made, memory.asSlice(0, sizeBytes - 1)));
        assertThat(memory.asSlice(sizeBytes).mismatch(MemorySegment.ofArray(new byte[sizeBytes])))
                .isEqualTo(-1);
    }

    private static Made cut(Made made, int bytes) {
        return new Made(Arrays.copyOf(made.bytes(), bytes), made.codec());
    }
}
