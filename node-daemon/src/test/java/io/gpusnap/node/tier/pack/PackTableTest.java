package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies in a shared store was written by others: nothing of it is believed that does not hold. */
class PackTableTest {

    private static final int FIRST_COUNT_AT = 8 + 16;
    private static final int ENTRIES_AT = FIRST_COUNT_AT + 4 + 32 + 8 + 4;

    private static PackTable table() {
        return new PackTable(
                UUID.randomUUID(),
                List.of(new PackTable.Pack(
                        PackTable.SELF,
                        5000,
                        "",
                        List.of(
                                new PackEntry(digest(1), 1000, 0, 1000, Frames.PLAIN),
                                new PackEntry(digest(2), 4000, 1000, 2000, Frames.ZSTD)))));
    }

    private static ChunkDigest digest(int number) {
        return new ChunkDigest("%064x".formatted(number));
    }

    @Test
    void whatWasWrittenIsRead() throws Exception {
        PackTable table = table();
        assertThat(PackTable.decode(table.encode(), "it")).isEqualTo(table);
        assertThat(PackTable.idOf(table.encode())).isNotEqualTo(PackTable.idOf(table().encode()));
    }

    @Test
    void everyFlippedBitAndEveryCutIsFound() {
        byte[] bytes = table().encode();
        for (int i = 0; i < bytes.length; i++) {
            byte[] flipped = bytes.clone();
            flipped[i] ^= 4;
            assertCorrupt(flipped);
            assertCorrupt(Arrays.copyOf(bytes, i));
        }
        assertCorrupt(Arrays.copyOf(bytes, bytes.length + 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0x7fffffff, 2, 1 << 24})
    void countsThatCannotBeAreRefusedBeforeAnythingIsMadeOfThem(int count) throws Exception {
        for (int at : new int[] {FIRST_COUNT_AT, ENTRIES_AT}) {
            byte[] bytes = table().encode();
            ByteBuffer.wrap(bytes)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(at, at == ENTRIES_AT && count == 2 ? 3 : count);
            assertCorrupt(sealed(bytes));
        }
    }

    @Test
    void placesThatOverlapOrLieOutsideAreRefused() throws Exception {
        int offsetAt = ENTRIES_AT + 4 + 32 + 4;
        for (long offset : new long[] {-1, 4500, Long.MAX_VALUE, 1L << 40}) {
            byte[] bytes = table().encode();
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(offsetAt, offset);
            assertCorrupt(sealed(bytes));
        }
    }

    @Test
    void noiseIsRefused() throws Exception {
        Random random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = table().encode();
            for (int flips = 0; flips < 3; flips++) {
                bytes[random.nextInt(bytes.length - 32)] = (byte) random.nextInt();
            }
            byte[] noise = sealed(bytes);
            try {
                PackTable.decode(noise, "noise");
            } catch (TierException e) {
                assertThat(e.reason()).isEqualTo(Reason.CORRUPT);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "..",
                "/etc/passwd",
                "packs/../gpusnap-store.json",
                "packs/ab/../../x",
                "packs/ab/" + "AB",
                "indexes/\0",
                "snapshots/x.json",
                "tmp/x",
                "packs//x",
                "gpusnap-store.json\n"
            })
    void namesThatNoStoreGivesAreNoKeys(String name) {
        assertThat(BlobKey.ofListed(name)).isEmpty();
        assertThatIllegalArgumentException().isThrownBy(() -> new BlobKey(name));
    }

    private static byte[] sealed(byte[] bytes) throws Exception {
        byte[] digest = MessageDigest.getInstance("SHA-256").digest(Arrays.copyOf(bytes, bytes.length - 32));
        System.arraycopy(digest, 0, bytes, bytes.length - 32, 32);
        return bytes;
    }

    private static void assertCorrupt(byte[] bytes) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> PackTable.decode(bytes, "it"))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
    }
}
