package io.gpusnap.node.criu.image;

import static io.gpusnap.node.criu.image.DumpBuilder.plain;
import static io.gpusnap.node.criu.image.DumpBuilder.present;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.gpusnap.node.criu.image.DumpBuilder.Mapping;
import io.gpusnap.node.criu.image.DumpBuilder.Pages;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ImageCutterTest {

    private static final long KIB = 1 << 10;
    private static final long MIB = 1 << 20;
    private static final long BASE = 0x7f00_0000_0000L;
    private static final long STACK = 0x7fff_0000_0000L;

    private static final Mapping STACK_MAPPING =
            new Mapping(STACK, MIB, DumpBuilder.READ_WRITE, DumpBuilder.PRIVATE_ANONYMOUS | 0x100, DumpBuilder.PLAIN);

    @TempDir
    Path folder;

    @Test
    void whatIsThereLeavesBlockByBlockAndTheRestStaysInOrder() throws Exception {
        // given a mapping that begins and ends inside of a block, with a gap in one and little in the last
        long start = BASE + 3 * MIB;
        DumpBuilder dump = new DumpBuilder(folder)
                .task(
                        7,
                        2,
                        List.of(plain(start, 14 * MIB), STACK_MAPPING),
                        List.of(
                                present(start, 2 * MIB),
                                present(start + 2 * MIB, 3 * MIB),
                                present(start + 5 * MIB + 4096, 4 * MIB),
                                present(start + 13 * MIB, 252 * KIB),
                                present(STACK, 8192)));
        byte[] pages = Files.readAllBytes(folder.resolve("pages-2.img"));
        // when
        ImageCut cut = dump.cut();
        // then
        assertThat(cut.areas())
                .containsExactly(new CutArea(
                        7,
                        folder.resolve("pages-2.img"),
                        List.of(
                                block(new CutRun(start, 0, MIB)),
                                block(new CutRun(start + MIB, MIB, 4 * MIB)),
                                block(new CutRun(start + 5 * MIB + 4096, 5 * MIB, 4 * MIB - 4096)))));
        assertThat(Files.readAllBytes(named(cut, "pages-2.img")))
                .isEqualTo(Arrays.copyOfRange(pages, (int) (9 * MIB) - 4096, pages.length));
        PageMap left = PageMap.read(named(cut, "pagemap-7.img"));
        assertThat(left.pagesId()).isEqualTo(2);
        assertThat(left.entries())
                .extracting(PageMap.Entry::range)
                .containsExactly(
                        new Range(start + 9 * MIB, start + 9 * MIB + 4096),
                        new Range(start + 13 * MIB, start + 13 * MIB + 252 * KIB),
                        new Range(STACK, STACK + 8192));
        assertThat(left.entries()).allMatch(entry -> entry.flags() == DumpBuilder.PRESENT_LAZY && entry.longCount());
        assertThat(named(cut, "mm-7.img")).isEqualTo(folder.resolve("mm-7.img"));
        // and the dump is as it was
        assertThat(Files.readAllBytes(folder.resolve("pages-2.img"))).isEqualTo(pages);
    }

    private static CutBlock block(CutRun... runs) {
        return new CutBlock(List.of(runs));
    }

    @Test
    void gapsInABlockAreNoPartOfIt() throws Exception {
        DumpBuilder dump = new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(plain(BASE, 4 * MIB), STACK_MAPPING),
                        List.of(
                                present(BASE + 8192, 64 * KIB),
                                present(BASE + MIB, 200 * KIB),
                                present(BASE + 4 * MIB - 4096, 4096),
                                present(STACK, 4096)));
        assertThat(onlyArea(dump).blocks())
                .containsExactly(block(
                        new CutRun(BASE + 8192, 0, 64 * KIB),
                        new CutRun(BASE + MIB, 64 * KIB, 200 * KIB),
                        new CutRun(BASE + 4 * MIB - 4096, 264 * KIB, 4096)));
    }

    private static CutArea onlyArea(DumpBuilder dump) {
        ImageCut cut = dump.cut();
        assertThat(cut.areas()).hasSize(1);
        return cut.areas().getFirst();
    }

    @Test
    void singlePagesWithGapsBetweenThemStay() throws Exception {
        List<Pages> pages = new ArrayList<>();
        for (long at = BASE; at < BASE + 4 * MIB; at += 8192) {
            pages.add(present(at, 4096));
        }
        pages.add(present(STACK, 4096));
        assertWhole(new DumpBuilder(folder).task(7, 1, List.of(plain(BASE, 4 * MIB), STACK_MAPPING), pages));
    }

    @Test
    void pagesThatTheKernelWritesToStay() throws Exception {
        // given a thread of another task: what is at one address is left alone in all
        DumpBuilder dump = new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(plain(BASE, 4 * MIB), STACK_MAPPING),
                        List.of(present(BASE, 4 * MIB), present(STACK, 4096)))
                .core(9, BASE + MIB + 2400)
                .core(10, BASE);
        byte[] pages = Files.readAllBytes(folder.resolve("pages-1.img"));
        // when
        ImageCut cut = dump.cut();
        // then
        assertThat(cut.areas().getFirst().blocks())
                .containsExactly(block(
                        new CutRun(BASE + 4096, 4096, MIB - 4096),
                        new CutRun(BASE + MIB + 4096, MIB + 4096, 3 * MIB - 4096)));
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        rest.writeBytes(Arrays.copyOfRange(pages, 0, 4096));
        rest.writeBytes(Arrays.copyOfRange(pages, (int) MIB, (int) MIB + 4096));
        rest.writeBytes(Arrays.copyOfRange(pages, (int) (4 * MIB), pages.length));
        assertThat(Files.readAllBytes(named(cut, "pages-1.img"))).isEqualTo(rest.toByteArray());
    }

    @Test
    void theNextDumpHasTheSameBlocksWhateverWasMappedBesides() throws Exception {
        // given
        Pages some = present(BASE + 5 * MIB, MIB);
        Pages more = present(BASE + 7 * MIB, 3 * MIB);
        CutArea first = onlyArea(new DumpBuilder(Files.createDirectory(folder.resolve("1")))
                .task(
                        7,
                        1,
                        List.of(plain(BASE + 4 * MIB, 8 * MIB), STACK_MAPPING),
                        List.of(some, more, present(STACK, 4096))));
        // when its mapping has grown both ways, with pages in the new parts
        CutArea second = onlyArea(new DumpBuilder(Files.createDirectory(folder.resolve("2")))
                .task(
                        7,
                        1,
                        List.of(plain(BASE, 16 * MIB), STACK_MAPPING),
                        List.of(
                                present(BASE, MIB),
                                some,
                                more,
                                present(BASE + 12 * MIB, 4 * MIB),
                                present(STACK, 4096))));
        // then
        assertThat(first.blocks()).hasSize(2);
        assertThat(second.blocks()).hasSize(4);
        assertThat(second.ranges()).containsSubsequence(first.ranges().toList());
        assertThat(second.blocks().get(1).runs())
                .extracting(CutRun::address, CutRun::sizeBytes)
                .isEqualTo(tuples(first.blocks().getFirst()));
        assertThat(second.blocks().get(2).runs())
                .extracting(CutRun::address, CutRun::sizeBytes)
                .isEqualTo(tuples(first.blocks().getLast()));
    }

    private static List<Tuple> tuples(CutBlock block) {
        return block.runs().stream()
                .map(run -> tuple(run.address(), run.sizeBytes()))
                .toList();
    }

    @Test
    void aSecondCutReplacesWhatAFirstLeftHalfMade() throws Exception {
        DumpBuilder dump = twoTasks(BASE, BASE + 64 * MIB);
        ImageCut first = dump.cut();
        Files.write(named(first, "pages-1.img"), new byte[] {1});
        Files.writeString(folder.resolve("cut/stranger"), "x");
        // when
        ImageCut second = dump.cut();
        // then
        assertThat(second).isEqualTo(first);
        assertThat(named(second, "pages-1.img")).hasSize(4096);
        assertThat(folder.resolve("cut")).isDirectoryNotContaining("glob:**stranger");
    }

    @Test
    void eachTaskLosesItsOwn() throws Exception {
        assertThat(twoTasks(BASE, BASE + 64 * MIB).cut().areas())
                .extracting(CutArea::taskId, area -> area.ranges().toList())
                .containsExactly(
                        tuple(7, List.of(new Range(BASE, BASE + 4 * MIB))),
                        tuple(8, List.of(new Range(BASE + 64 * MIB, BASE + 68 * MIB))));
    }

    @Test
    void whatAForkMayHaveLeftInBothStaysInBoth() throws Exception {
        assertWhole(twoTasks(BASE, BASE));
    }

    private DumpBuilder twoTasks(long first, long second) throws IOException {
        return new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(plain(first, 4 * MIB), STACK_MAPPING),
                        List.of(present(first, 4 * MIB), present(STACK, 4096)))
                .task(
                        8,
                        2,
                        List.of(plain(second, 4 * MIB), new Mapping(STACK + MIB, MIB, 3, 0x122, 0x201)),
                        List.of(present(second, 4 * MIB), present(STACK + MIB, 4096)));
    }

    static Stream<Arguments> otherMemory() {
        return Stream.of(
                Arguments.of("too small", new Mapping(BASE, MIB - 4096, 3, 0x22, 0x201)),
                Arguments.of("read only", new Mapping(BASE, 32 * MIB, 1, 0x22, 0x201)),
                Arguments.of("write only", new Mapping(BASE, 32 * MIB, 2, 0x22, 0x201)),
                Arguments.of("shared", new Mapping(BASE, 32 * MIB, 3, 0x21, 0x101)),
                Arguments.of("a file's", new Mapping(BASE, 32 * MIB, 3, 0x2, 0x41)),
                Arguments.of("a stack", new Mapping(BASE, 32 * MIB, 3, 0x122, 0x201)),
                Arguments.of("huge pages of their own", new Mapping(BASE, 32 * MIB, 3, 0x40022, 0x201)),
                Arguments.of("of a kind that is not known", new Mapping(BASE, 32 * MIB, 3, 0x22, 0x40201)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void otherMemory(String what, Mapping mapping) throws Exception {
        assertWhole(new DumpBuilder(folder)
                .task(7, 1, List.of(mapping, STACK_MAPPING), List.of(present(BASE, MIB - 4096), present(STACK, 4096))));
    }

    @Test
    void theHeapIsPlainMemory() throws Exception {
        DumpBuilder dump = new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(new Mapping(BASE, 16 * MIB, 3, 0x22, 0x221), STACK_MAPPING),
                        List.of(present(BASE, 16 * MIB), present(STACK, 4096)));
        assertThat(dump.cut().areas()).hasSize(1);
    }

    static Stream<Arguments> strangePages() {
        return Stream.of(
                Arguments.of("in a parent dump", new Pages(BASE, 16 * MIB, 1)),
                Arguments.of("lazy only", new Pages(BASE, 16 * MIB, 2)),
                Arguments.of("of a flag that is not known", new Pages(BASE, 16 * MIB, 12)),
                Arguments.of("before those before", new Pages(BASE - MIB, 16 * MIB, 4)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void strangePages(String what, Pages strange) throws Exception {
        assertWhole(new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(plain(BASE - 64 * MIB, 128 * MIB), STACK_MAPPING),
                        List.of(present(BASE - 32 * MIB, 32 * MIB), strange, present(STACK, 4096))));
    }

    interface Damage {
        void to(Path folder) throws IOException;
    }

    static Stream<Arguments> damaged() {
        return Stream.of(
                damage("another magic", folder -> change(folder.resolve("pagemap-7.img"), 4)),
                damage("another common magic", folder -> change(folder.resolve("mm-7.img"), 0)),
                damage("a cut page map", folder -> shorten(folder.resolve("pagemap-7.img"))),
                damage("a cut list of mappings", folder -> shorten(folder.resolve("mm-7.img"))),
                damage("no list of mappings", folder -> Files.delete(folder.resolve("mm-7.img"))),
                damage("no pages", folder -> Files.delete(folder.resolve("pages-1.img"))),
                damage("other pages", folder -> shorten(folder.resolve("pages-1.img"))),
                damage("an empty page map", folder -> Files.write(folder.resolve("pagemap-7.img"), new byte[0])),
                damage("no thread", folder -> Files.write(folder.resolve("core-7.img"), new byte[0])),
                damage("another thread's magic", folder -> change(folder.resolve("core-7.img"), 4)),
                damage("a parent", folder -> Files.createSymbolicLink(folder.resolve("parent"), Path.of("../0"))));
    }

    private static Arguments damage(String what, Damage damage) {
        return Arguments.of(what, damage);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void damaged(String what, Damage damage) throws Exception {
        DumpBuilder dump = new DumpBuilder(folder)
                .task(
                        7,
                        1,
                        List.of(plain(BASE, 16 * MIB), STACK_MAPPING),
                        List.of(present(BASE, 16 * MIB), present(STACK, 4096)));
        damage.to(folder);
        assertWhole(dump);
    }

    @Test
    void aTaskIsNotLeftWithoutAnyPage() throws Exception {
        assertWhole(
                new DumpBuilder(folder).task(7, 1, List.of(plain(BASE, 16 * MIB)), List.of(present(BASE, 16 * MIB))));
    }

    @Test
    void tasksThatShareTheirPagesFileStayWhole() throws Exception {
        List<Mapping> mappings = List.of(plain(BASE, 16 * MIB), STACK_MAPPING);
        List<Pages> pages = List.of(present(BASE, 16 * MIB), present(STACK, 4096));
        assertWhole(new DumpBuilder(folder).task(7, 1, mappings, pages).task(8, 1, mappings, pages));
    }

    private static void assertWhole(DumpBuilder dump) {
        ImageCut cut = dump.cut();
        assertThat(cut.areas()).isEmpty();
        assertThat(cut.files()).isEqualTo(dump.images());
    }

    private static void change(Path file, int at) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[at] ^= 1;
        Files.write(file, bytes);
    }

    private static void shorten(Path file) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(bytes, bytes.length - 1));
    }

    private static Path named(ImageCut cut, String name) {
        return cut.files().stream()
                .filter(file -> file.getFileName().toString().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
