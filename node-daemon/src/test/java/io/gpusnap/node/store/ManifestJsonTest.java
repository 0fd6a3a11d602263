package io.gpusnap.node.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.Manifest.HostArea;
import io.gpusnap.node.store.Manifest.MemoryRange;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
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
            "gpusnap.manifest/5"; "gpusnap.manifest/7"; schema
            "gpusnap.manifest/5"; "gpusnap.manifest/6"; container
            "gpusnap.manifest/5"; "gpusnap.manifest/3"; inUse
            "inUse":true; "inUse":false; not in use
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

    private static final ChunkRef WHOLE = ChunkRef.zero(4 << 20);
    private static final ChunkRef PAGES = ChunkRef.of(new ChunkDigest("cd".repeat(32)), 12288);

    private static HostArea area(int taskId, String address, List<Long> runs, ChunkRef... chunks) {
        long bytes = List.of(chunks).stream().mapToLong(ChunkRef::sizeBytes).sum();
        return new HostArea(taskId, address, bytes, runs, List.of(chunks));
    }

    private static HostArea whole(int taskId, String address) {
        return area(taskId, address, List.of(1024L), WHOLE);
    }

    @Test
    void hostAreasAreReadBackAndCounted() throws Exception {
        HostArea withGaps = area(4711, "0x7f0000400000", List.of(1L, 7L, 1020L, 1L << 30, 6L), WHOLE, PAGES);
        Manifest with = Manifests.withAreas(manifest, List.of(withGaps, whole(4711, "0x7f0000000000")));
        assertThat(ManifestJson.read(ManifestJson.write(with))).isEqualTo(with);
        assertThat(with.chunks().count()).isEqualTo(manifest.chunks().count() + 3);
        assertThat(with.host().areasBytes()).isEqualTo((8 << 20) + 12288);
        // and what they say is where their bytes belong
        List<MemoryRange> ranges = List.of(
                new MemoryRange(0x7f0000400000L, 4096),
                new MemoryRange(0x7f0000408000L, 1020 * 4096),
                new MemoryRange(0x7f0000408000L + 1020 * 4096 + (4096L << 30), 6 * 4096));
        assertThat(withGaps.ranges()).isEqualTo(ranges);
        assertThat(HostArea.of(4711, ranges, withGaps.chunks())).isEqualTo(withGaps);
        // also where one run was found in two parts
        List<MemoryRange> parts = List.of(
                ranges.get(0),
                new MemoryRange(0x7f0000408000L, 1000 * 4096),
                new MemoryRange(0x7f0000408000L + 1000 * 4096, 20 * 4096),
                ranges.get(2));
        assertThat(HostArea.of(4711, parts, withGaps.chunks())).isEqualTo(withGaps);
        // the same address in another task is another place, and a gap is nobody's
        ManifestJson.read(
                ManifestJson.write(Manifests.withAreas(manifest, List.of(whole(1, "0x1000"), whole(2, "0x1000")))));
    }

    @Test
    void aMillionRunsAreTheLimit() throws Exception {
        int count = HostAreaRules.MAX_RUNS - 1;
        List<Long> runs = Collections.nCopies(count, 1L);
        ChunkRef[] chunks = new ChunkRef[count / 2 + 1];
        Arrays.fill(chunks, ChunkRef.zero(4096));
        List<HostArea> most =
                List.of(area(1, "0x1000", runs, chunks), area(2, "0x1000", List.of(1L), ChunkRef.zero(4096)));
        ManifestJson.read(ManifestJson.write(Manifests.withAreas(manifest, most)));
        List<HostArea> more = new ArrayList<>(most);
        more.add(area(3, "0x1000", List.of(1L), ChunkRef.zero(4096)));
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(ManifestJson.write(Manifests.withAreas(manifest, more))))
                .withMessageContaining("runs");
    }

    static Stream<Arguments> hostAreasOutOfOrder() {
        return Stream.of(
                Arguments.of("no task", List.of(whole(0, "0x1000")), "no task"),
                Arguments.of("decimal address", List.of(whole(1, "4096")), "hex address"),
                Arguments.of("address 0", List.of(whole(1, "0x0")), "no range of addresses"),
                Arguments.of("end of memory", List.of(whole(1, "0x7ffffffffffff000")), "no range of addresses"),
                Arguments.of("no runs", List.of(area(1, "0x1000", List.of())), "end in a run"),
                Arguments.of("ends in a gap", List.of(area(1, "0x1000", List.of(1024L, 1L), WHOLE)), "end in a run"),
                Arguments.of("no gap", List.of(area(1, "0x1000", List.of(1L, 0L, 1023L), WHOLE)), "run of 0 pages"),
                Arguments.of(
                        "backwards", List.of(area(1, "0x1000", List.of(1L, -1L, 1023L), WHOLE)), "run of -1 pages"),
                Arguments.of(
                        "far too far",
                        List.of(area(1, "0x1000", List.of(1L, 1L << 52, 1023L), WHOLE)),
                        "run of " + (1L << 52) + " pages"),
                Arguments.of(
                        "round and round",
                        List.of(area(1, "0x1000", List.of(1L, 1L << 50, 1L, 1L << 50, 1022L), WHOLE)),
                        "overflow"),
                Arguments.of("more than its chunks", List.of(area(1, "0x1000", List.of(1025L), WHOLE)), "its runs"),
                Arguments.of("inside of a page", List.of(whole(1, "0x1010")), "begin with a page"),
                Arguments.of(
                        "parts of pages",
                        List.of(area(1, "0x1000", List.of(1L), CHUNK, ChunkRef.zero(3996))),
                        "not of whole pages"),
                Arguments.of("overlap", List.of(whole(1, "0x1000"), whole(1, "0x400000")), "overlaps another"),
                Arguments.of(
                        "overlap from below", List.of(whole(1, "0x400000"), whole(1, "0x1000")), "overlaps another"),
                Arguments.of("twice", List.of(whole(1, "0x1000"), whole(1, "0x1000")), "overlaps another"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void hostAreasOutOfOrder(String what, List<HostArea> areas, String complaint) {
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(ManifestJson.write(Manifests.withAreas(manifest, areas))))
                .withMessageContaining(complaint);
    }

    /** As it was written before there were gaps. */
    private String ofTheSecondSchema() {
        Manifest with = Manifests.withAreas(
                manifest, List.of(area(4711, "0x7f0000400000", List.of(1025L), WHOLE, ChunkRef.zero(4096))));
        return new String(ManifestJson.write(with), StandardCharsets.UTF_8)
                .replace(",\"runs\":[1025]", "")
                .replace(",\"inUse\":true", "")
                .replace("gpusnap.manifest/5", "gpusnap.manifest/2");
    }

    @Test
    void areasOfTheSecondSchemaHaveNoGaps() throws Exception {
        String text = ofTheSecondSchema();
        assertThat(text).contains("areas").doesNotContain("runs");
        Manifest second = ManifestJson.read(text.getBytes(StandardCharsets.UTF_8));
        assertThat(second.schema()).isEqualTo("gpusnap.manifest/2");
        assertThat(second.host().areas())
                .singleElement()
                .satisfies(area ->
                        assertThat(area.ranges()).containsExactly(new MemoryRange(0x7f0000400000L, (4 << 20) + 4096)));
    }

    static Stream<Arguments> areasOfTheSecondSchemaOutOfOrder() {
        return Stream.of(
                Arguments.of("runs", "\"address\":\"0x7f0000400000\"", "\"runs\":[1025],$0", "runs"),
                Arguments.of("no task", "\"taskId\":4711", "\"taskId\":0", "no task"),
                Arguments.of(
                        "short chunk",
                        "(\\{[^{]*4194304\\}),(\\{[^{]*4096\\})\\]\\}\\]\\},\"totals",
                        "$2,$1]}]},\"totals",
                        "short chunk"),
                Arguments.of("the third's name", "gpusnap.manifest/2", "gpusnap.manifest/3", "runs"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void areasOfTheSecondSchemaOutOfOrder(String what, String right, String wrong, String complaint) {
        String text = ofTheSecondSchema();
        String spoilt = text.replaceFirst(right, wrong);
        assertThat(spoilt).isNotEqualTo(text);
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(spoilt.getBytes(StandardCharsets.UTF_8)))
                .withMessageContaining(complaint);
    }

    @Test
    void theFirstSchemaHasNoAreas() throws Exception {
        String text = new String(ManifestJson.write(manifest), StandardCharsets.UTF_8);
        String withoutAreas = text.replace(",\"areas\":[]", "");
        Manifest first = ManifestJson.read(withoutAreas
                .replace(",\"taskIds\":[4711],\"allocations\"", ",\"allocations\"")
                .replace(",\"inUse\":true", "")
                .replace("gpusnap.manifest/5", "gpusnap.manifest/1")
                .getBytes(StandardCharsets.UTF_8));
        assertThat(first.host()).isEqualTo(manifest.host());
        assertThat(first.schema()).isEqualTo("gpusnap.manifest/1");
        // and the others do not do without
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
    void gpusOfTheThirdAndFourthSchemaAreInUse() throws Exception {
        for (Manifest written : List.of(manifest, inContainer(manifest))) {
            String text = new String(ManifestJson.write(written), StandardCharsets.UTF_8)
                    .replace(",\"inUse\":true", "")
                    .replace("gpusnap.manifest/5", "gpusnap.manifest/3")
                    .replace("gpusnap.manifest/6", "gpusnap.manifest/4");
            Manifest earlier = ManifestJson.read(text.getBytes(StandardCharsets.UTF_8));
            assertThat(earlier.compatibility()).isEqualTo(manifest.compatibility());
            assertThat(earlier.container()).isEqualTo(written.container());
        }
    }

    private static Manifest inContainer(Manifest plain) {
        return new Manifest(
                Manifest.CONTAINER_SCHEMA,
                plain.snapshotId(),
                plain.engine(),
                plain.createdAt(),
                plain.producer(),
                plain.digestAlgorithm(),
                plain.compatibility(),
                plain.process(),
                plain.device(),
                plain.host(),
                plain.totals(),
                Optional.of(new ContainerPart(
                        List.of(new ContainerPart.MountPoint("/data", "tmpfs")),
                        List.of(new ContainerPart.LogPipe("pipe:[7]", 1)),
                        List.of("10.0.0.1"),
                        List.of(new ContainerPart.WrittenFile(
                                "/srv/state",
                                plain.host().files().getFirst().name(),
                                plain.host().files().getFirst().sizeBytes(),
                                0600,
                                1000,
                                1000)))));
    }

    @Test
    void theContainerOfAWorkloadIsReadBack() throws Exception {
        Manifest contained = inContainer(manifest);
        assertThat(ManifestJson.read(ManifestJson.write(contained))).isEqualTo(contained);
    }

    @ParameterizedTest(name = "{2}")
    @CsvSource(delimiter = ';', quoteCharacter = '~', textBlock = """
            "gpusnap.manifest/6"; "gpusnap.manifest/5"; container
            "path":"/data"; "path":"data"; absolute and plain
            "/srv/state"; "/srv/../etc/shadow"; absolute and plain
            pipe:[7]; /etc/shadow; none of a pipe
            "descriptor":1; "descriptor":3; descriptor 3
            "mode":384; "mode":2541; permission bits
            "image":"; "image":"other-; content that is not there
            """)
    void anythingOutOfOrderInAContainerIsRefused(String right, String wrong, String complaint) {
        String text = new String(ManifestJson.write(inContainer(manifest)), StandardCharsets.UTF_8);
        assertThat(text).contains(right);
        byte[] spoilt = text.replace(right, wrong).getBytes(StandardCharsets.UTF_8);
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> ManifestJson.read(spoilt))
                .withMessageContaining(complaint);
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
