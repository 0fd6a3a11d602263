package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

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
            "gpusnap.manifest/2"; "gpusnap.manifest/3"; schema
            "gpusnap.manifest/2"; "gpusnap.manifest/1"; taskIds
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

    private static Manifest.HostArea area(int taskId, String address, ChunkRef... chunks) {
        long bytes = List.of(chunks).stream().mapToLong(ChunkRef::sizeBytes).sum();
        return new Manifest.HostArea(taskId, address, bytes, List.of(chunks));
    }

    @Test
    void hostAreasAreReadBackAndCounted() throws Exception {
        ChunkRef whole = ChunkRef.zero(4 << 20);
        Manifest with = Manifests.withAreas(
                manifest, List.of(area(4711, "0x7f0000400000", whole, CHUNK), area(4711, "0x7f0000000000", whole)));
        assertThat(ManifestJson.read(ManifestJson.write(with))).isEqualTo(with);
        assertThat(with.chunks().count()).isEqualTo(manifest.chunks().count() + 3);
        assertThat(with.host().areasBytes()).isEqualTo((8 << 20) + 100);
        // the same address in another task is another place
        ManifestJson.read(ManifestJson.write(
                Manifests.withAreas(manifest, List.of(area(1, "0x1000", whole), area(2, "0x1000", whole)))));
    }

    static Stream<Arguments> hostAreasOutOfOrder() {
        ChunkRef whole = ChunkRef.zero(4 << 20);
        return Stream.of(
                Arguments.of("no task", List.of(area(0, "0x1000", whole)), "no task"),
                Arguments.of("decimal address", List.of(area(1, "4096", whole)), "hex address"),
                Arguments.of("address 0", List.of(area(1, "0x0", whole)), "no range of addresses"),
                Arguments.of("end of memory", List.of(area(1, "0x7fffffffffffffff", whole)), "no range of addresses"),
                Arguments.of("empty", List.of(area(1, "0x1000")), "no range of addresses"),
                Arguments.of("short chunk", List.of(area(1, "0x1000", CHUNK, whole)), "short chunk"),
                Arguments.of(
                        "overlap", List.of(area(1, "0x1000", whole), area(1, "0x400000", whole)), "overlaps another"),
                Arguments.of(
                        "overlap from below",
                        List.of(area(1, "0x400000", whole), area(1, "0x1000", whole)),
                        "overlaps another"),
                Arguments.of("twice", List.of(area(1, "0x1000", whole), area(1, "0x1000", whole)), "overlaps another"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void hostAreasOutOfOrder(String what, List<Manifest.HostArea> areas, String complaint) {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(ManifestJson.write(Manifests.withAreas(manifest, areas))))
                .withMessageContaining(complaint);
    }

    @Test
    void theFirstSchemaHasNoAreas() throws Exception {
        String text = new String(ManifestJson.write(manifest), StandardCharsets.UTF_8);
        String withoutAreas = text.replace(",\"areas\":[]", "");
        Manifest first = ManifestJson.read(withoutAreas
                .replace(",\"taskIds\":[4711],\"allocations\"", ",\"allocations\"")
                .replace("gpusnap.manifest/2", "gpusnap.manifest/1")
                .getBytes(StandardCharsets.UTF_8));
        assertThat(first.host()).isEqualTo(manifest.host());
        assertThat(first.schema()).isEqualTo("gpusnap.manifest/1");
        // and the second does not do without
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(withoutAreas.getBytes(StandardCharsets.UTF_8)))
                .withMessageContaining("areas");
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
                new Manifest.Device(0, manifest.device().taskIds(), huge),
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
