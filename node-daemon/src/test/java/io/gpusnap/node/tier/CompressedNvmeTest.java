package io.gpusnap.node.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.key.KeyProvider;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.CompressionTest;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A node's own store whose chunks are compressed is a tier like any other. */
class CompressedNvmeTest extends NvmeFormContract {

    private static final String KEY = "0123456789abcdef".repeat(4);
    private static final int SIZE_BYTES = 1 << 20;
    private static final byte[] WEIGHTS = CompressionTest.weights(SIZE_BYTES, 1);
    private static final ChunkDigest DIGEST = digestOf(WEIGHTS);

    @Override
    NvmeTier tier(StoreRoot root) {
        return tier(root, false, true);
    }

    private static NvmeTier tier(Path root, boolean encrypts, boolean compresses) throws Exception {
        return tier(StoreRoot.open(root), encrypts, compresses);
    }

    private static NvmeTier tier(StoreRoot root, boolean encrypts, boolean compresses) {
        Optional<KeyProvider> provider = Optional.of(KeyRing.ofHex(KEY));
        return new NvmeTier(root, 0, provider, "tenant-a", encrypts, compresses ? Compression.PLANES : Compression.OFF);
    }

    @Override
    protected byte[] content(int size, long seed) {
        return CompressionTest.weights(size, seed);
    }

    @Override
    protected long leastBytes(int size) {
        return size / 2;
    }

    private static void put(NvmeTier tier) throws TierException {
        assertThat(tier.put(DIGEST, MemorySegment.ofArray(WEIGHTS))).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"false, 0", "false, 1", "true, 0", "true, 1"})
    void weightsTakeTwoThirdsOfTheDiskAndAreReadAsTheyWere(boolean encrypts, int offset, @TempDir Path root)
            throws Exception {
        try (NvmeTier tier = tier(root, encrypts, true)) {
            put(tier);
            tier.sync();
            assertThat(tier.put(DIGEST, MemorySegment.ofArray(WEIGHTS))).isFalse();
            assertThat(tier.contains(DIGEST, SIZE_BYTES)).isTrue();
            assertThat(read(tier, WEIGHTS, offset)).isEqualTo(WEIGHTS);
            // then direct reads into device memory are not offered what they could not expand
            assertReason(Reason.UNAVAILABLE, () -> tier.file(DIGEST, SIZE_BYTES));
            assertThat(tier.usage().usedBytes())
                    .isEqualTo(Files.size(file(root, DIGEST)))
                    .isLessThan(7 * SIZE_BYTES / 10);
            assertThat(tier.keyOf(DIGEST, SIZE_BYTES).isPresent()).isEqualTo(encrypts);
            assertThat(tier.isSealedBy(number -> true)).isFalse(); // no manifest names it
        }
        // when neither is done any more
        try (NvmeTier tier = tier(root, false, false)) {
            assertThat(tier.contains(DIGEST, SIZE_BYTES)).isTrue();
            assertThat(read(tier, WEIGHTS, offset)).isEqualTo(WEIGHTS);
            assertThat(tier.delete(DIGEST)).isTrue();
            assertThat(tier.usage().usedBytes()).isZero();
        }
    }

    @Test
    void aCompressedChunkWhoseKeyIsLackingIsNotHereAndNotDamaged(@TempDir Path root) throws Exception {
        try (NvmeTier tier = tier(root, true, true)) {
            put(tier);
        }
        try (NvmeTier none = new NvmeTier(StoreRoot.open(root), 0)) {
            assertThat(none.contains(DIGEST, SIZE_BYTES)).isFalse();
            assertReason(Reason.NO_KEY, () -> read(none, WEIGHTS, 0));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void whatIsWrongWithAFileIsCorrupt(boolean encrypts, @TempDir Path root) throws Exception {
        try (NvmeTier tier = tier(root, encrypts, true)) {
            put(tier);
            Path file = file(root, DIGEST);
            byte[] whole = Files.readAllBytes(file);
            // each field of the footer: mark, length of the frame, how it was made, length of the chunk
            for (int at : new int[] {24, 16, 12, 8}) {
                byte[] flipped = whole.clone();
                flipped[whole.length - at] ^= 0x40;
                Files.write(file, flipped);
                assertReason(Reason.CORRUPT, () -> read(tier, WEIGHTS, 0));
            }
            // the frame: of an encrypted one every bit; the plane of mantissas has no proof but the chunk's digest
            byte[] flipped = whole.clone();
            flipped[SIZE_BYTES / 2 + 3] ^= 1;
            Files.write(file, flipped);
            assertReason(Reason.CORRUPT, () -> read(tier, WEIGHTS, 0));
            // cut off: not here, or told from a chunk by what is missing at its end
            Files.write(file, Arrays.copyOf(whole, 4096));
            assertThat(tier.contains(DIGEST, SIZE_BYTES)).isFalse();
            assertReason(Reason.CORRUPT, () -> read(tier, WEIGHTS, 0));
            Files.write(file, Arrays.copyOf(whole, whole.length - 64));
            assertReason(Reason.CORRUPT, () -> read(tier, WEIGHTS, 0));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {SIZE_BYTES - 8, SIZE_BYTES + 8})
    void onlyAReadTellsACompressedChunkOfAnotherSize(int sizeBytes, @TempDir Path root) throws Exception {
        try (NvmeTier tier = tier(root, false, true)) {
            put(tier);
            MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
            assertReason(Reason.CORRUPT, () -> tier.read(DIGEST, sizeBytes, buffer));
            assertThat(buffer.asSlice(0, SIZE_BYTES).mismatch(MemorySegment.ofArray(new byte[SIZE_BYTES])))
                    .isEqualTo(-1);
        }
    }

    @Test
    void chunksThatDoNotShrinkLieThereAsTheyAre(@TempDir Path root) throws Exception {
        byte[] content = random(SIZE_BYTES, 1);
        try (NvmeTier tier = tier(root, false, true)) {
            tier.put(digestOf(content), MemorySegment.ofArray(content));
            assertThat(tier.file(digestOf(content), SIZE_BYTES)).hasBinaryContent(content);
        }
    }

    @Test
    void anOlderDaemonIsToldThatItDoesNotKnowTheStore(@TempDir Path root) throws Exception {
        try (NvmeTier tier = tier(root, false, true)) {
            assertThat(root.resolve("VERSION")).hasContent("gpusnap-store 1");
            put(tier);
            assertThat(root.resolve("VERSION")).hasContent("gpusnap-store 2");
        }
        try (NvmeTier tier = tier(root, false, false)) {
            assertThat(read(tier, WEIGHTS, 0)).isEqualTo(WEIGHTS);
            assertThat(root.resolve("VERSION")).hasContent("gpusnap-store 2");
        }
    }

    @Test
    void onlyWhereChunksAreNotCompressedTheirRoomIsKnownBeforeTheyCome(@TempDir Path root) throws Exception {
        long tooMuch = Long.MAX_VALUE;
        try (NvmeTier tier = tier(root, false, true)) {
            tier.requireSpaceToBring(tooMuch);
            assertReason(Reason.NO_SPACE, () -> tier.requireSpace(tooMuch));
        }
        try (NvmeTier tier = tier(root, false, false)) {
            assertReason(Reason.NO_SPACE, () -> tier.requireSpaceToBring(tooMuch));
        }
        try (NvmeTier full =
                new NvmeTier(StoreRoot.open(root), tooMuch, Optional.empty(), "tenant-a", false, Compression.PLANES)) {
            assertReason(Reason.NO_SPACE, () -> full.requireSpaceToBring(SIZE_BYTES));
        }
    }
}
