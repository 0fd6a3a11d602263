package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ManifestJsonTest {

    private static final ChunkRef CHUNK = ChunkRef.of(new ChunkDigest("ab".repeat(32)), 100);
    private final Manifest manifest = Manifests.of(SnapshotId.random(), List.of(ChunkRef.zero(4 << 20), CHUNK));

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        assertThat(ManifestJson.read(ManifestJson.write(manifest))).isEqualTo(manifest);
    }

    @Test
    void writingTwiceGivesTheSameBytesAndSoTheSameDigest() {
        assertThat(ManifestDigest.of(ManifestJson.write(manifest)))
                .isEqualTo(ManifestDigest.of(ManifestJson.write(manifest)));
        assertThat(ManifestDigest.of(new byte[0]).hex())
                .isEqualTo("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
            "gpusnap.manifest/1"; "gpusnap.manifest/2"; schema
            "sha256-tree-4k"; "md5"; digestAlgorithm
            "sizeBytes":100; "sizeBytes":101; its chunks
            "sizeBytes":100; "sizeBytes":-100; 1 byte to 4 MiB
            "sizeBytes":100; "sizeBytes":9223372036854775808; out of range
            "sizeBytes":100; "sizeBytes":100.5; not well formed
            "sizeBytes":100; "sizeBytes":"100"; not well formed
            "sizeBytes":100; "sizeBytes":100,"sizeBytes":100; uplicate
            "sizeBytes":100; "sizeBytes":100,"more":1; more
            "pid":4711,;; Missing
            "workload":"chat"; "workload":null; ull
            "pages-1.img"; "../pages-1.img"; name that is not plain
            "pages-1.img"; "a/b"; name that is not plain
            "pages-1.img"; ".."; name that is not plain
            "pages-1.img"; "a\\u0000b"; name that is not plain
            "/srv/server.log"; "/srv/../etc/passwd"; absolute and plain
            "/srv/server.log"; "server.log"; absolute and plain
            "/tmp/gpusnap/4711.sock"; "/tmp/../x"; absolute and plain
            "0x7f0000000000"; "7f00"; hex address
            "gpuOrdinal":0; "gpuOrdinal":1; not named
            "vramBytes":2097152; "vramBytes":1; totals.vramBytes
            "chunksZero":2; "chunksZero":3; totals.chunksZero
            "storedBytes":0; "storedBytes":99999999999; totals.storedBytes
            abababab; ABABABAB; not a sha256-tree-4k digest
            """)
    void anythingOutOfOrderIsRefused(String right, String wrong, String complaint) {
        // given
        String text = new String(ManifestJson.write(manifest), StandardCharsets.UTF_8);
        assertThat(text).contains(right);
        byte[] spoilt = text.replaceFirst(Pattern.quote(right), wrong == null ? "" : Matcher.quoteReplacement(wrong))
                .getBytes(StandardCharsets.UTF_8);
        // when, then
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(spoilt))
                .withMessageContaining(complaint);
    }

    @Test
    void sizesThatOverflowTogetherAreRefused() {
        List<Manifest.Allocation> huge = List.of(
                new Manifest.Allocation(1, "0x10", Long.MAX_VALUE, 0, List.of()),
                new Manifest.Allocation(2, "0x20", Long.MAX_VALUE, 0, List.of()));
        Manifest lying = new Manifest(
                manifest.schema(),
                manifest.snapshotId(),
                manifest.engine(),
                manifest.createdAt(),
                manifest.producer(),
                manifest.digestAlgorithm(),
                manifest.compatibility(),
                manifest.process(),
                new Manifest.Device(0, huge),
                manifest.host(),
                manifest.totals());
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(ManifestJson.write(lying)));
    }

    @Test
    void deepNestingAndTrailingBytesAndNonsenseAreRefusedQuickly() {
        for (String text : List.of("[".repeat(100_000), "", "null", "{}", "{\"schema\":", "[]", "42")) {
            assertThatExceptionOfType(ManifestException.class)
                    .isThrownBy(() -> ManifestJson.read(text.getBytes(StandardCharsets.UTF_8)));
        }
        byte[] twice = (new String(ManifestJson.write(manifest), StandardCharsets.UTF_8) + "{}")
                .getBytes(StandardCharsets.UTF_8);
        assertThatExceptionOfType(ManifestException.class).isThrownBy(() -> ManifestJson.read(twice));
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(new byte[ManifestJson.MAX_BYTES + 1]))
                .withMessageContaining("more than");
    }
}
