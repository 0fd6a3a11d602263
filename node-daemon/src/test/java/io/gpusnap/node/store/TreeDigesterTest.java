package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TreeDigesterTest {

    private final TreeDigester digester = new TreeDigester();

    @Test
    void theVectorsOfTheDocumentHold() throws Exception {
        // given the table in docs/formats.md: size, rule, digest
        String document = Files.readString(
                Path.of(System.getProperty("gpusnap.root", "..")).resolve("docs/formats.md"));
        var rows = Pattern.compile("(?m)^\\| (\\d+) \\| `i mod (\\d+)` \\| `([0-9a-f]{64})` \\|$")
                .matcher(document)
                .results()
                .toList();
        assertThat(rows).hasSizeGreaterThanOrEqualTo(5);
        for (var row : rows) {
            // when
            byte[] data = new byte[Integer.parseInt(row.group(1))];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (i % Integer.parseInt(row.group(2)));
            }
            // then
            assertThat(digester.digest(MemorySegment.ofArray(data)).digest()).isEqualTo(row.group(3));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 31, 4095, 4096, 4097, 8192, 100_000, 4 << 20})
    void theDigestIsSha256OverTheLeavesDigests(int size) throws Exception {
        // given
        byte[] data = new byte[size];
        new Random(size).nextBytes(data);
        // when
        ChunkRef chunk = digester.digest(MemorySegment.ofArray(data));
        // then
        assertThat(chunk.digest()).isEqualTo(naive(data));
        assertThat(chunk.sizeBytes()).isEqualTo(size);
        assertThat(chunk.isZero()).isFalse();
    }

    @Test
    void aNativeSliceGivesTheSameDigestAsTheHeap() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            // given
            byte[] data = new byte[300_001];
            new Random(7).nextBytes(data);
            MemorySegment memory = arena.allocate(400_000).asSlice(13, data.length);
            memory.copyFrom(MemorySegment.ofArray(data));
            // when, then
            assertThat(digester.digest(memory).digest()).isEqualTo(naive(data));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 4096, 5000, 4 << 20})
    void onlyZerosAreAZeroChunkOfTheirSize(int size) {
        byte[] data = new byte[size];
        assertThat(digester.digest(MemorySegment.ofArray(data))).isEqualTo(ChunkRef.zero(size));

        data[size - 1] = 1;
        assertThat(digester.digest(MemorySegment.ofArray(data)).isZero()).isFalse();
    }

    @Test
    void emptyAndOversizedDataAreRefused() {
        assertThatIllegalArgumentException().isThrownBy(() -> digester.digest(MemorySegment.ofArray(new byte[0])));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> digester.digest(MemorySegment.ofArray(new byte[(4 << 20) + 1])));
    }

    static String naive(byte[] data) throws Exception {
        var leaves = new ByteArrayOutputStream();
        for (int at = 0; at < data.length; at += 4096) {
            leaves.write(MessageDigest.getInstance("SHA-256")
                    .digest(Arrays.copyOfRange(data, at, Math.min(data.length, at + 4096))));
        }
        byte[] root = MessageDigest.getInstance("SHA-256").digest(leaves.toByteArray());
        return HexFormat.of().formatHex(root);
    }
}
