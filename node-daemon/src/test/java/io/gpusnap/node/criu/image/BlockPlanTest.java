package io.gpusnap.node.criu.image;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.image.PageMap.Entry;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class BlockPlanTest {

    private static final long BASE = 0x7f00_0000_0000L;
    private static final Path PAGES = Path.of("pages-1.img");

    private static Vma plain(long start, long end) {
        return new Vma(new Range(start, end), DumpBuilder.READ_WRITE, DumpBuilder.PRIVATE_ANONYMOUS, DumpBuilder.PLAIN);
    }

    /** Three pages that are there, and one that is not, by turns. */
    private static List<Entry> riddled(long start, long end) {
        List<Entry> entries = new ArrayList<>();
        long offset = 0;
        for (long at = start; at + 16384 <= end; at += 16384) {
            entries.add(new Entry(new Range(at, at + 12288), offset, DumpBuilder.PRESENT_LAZY, true));
            offset += 12288;
        }
        return entries;
    }

    @Test
    void aProcessWithFarTooManyGapsKeepsTheRestInItsImage() {
        // given
        long end = BASE + (4L << 30);
        List<Entry> entries = riddled(BASE, end);
        assertThat(entries).hasSizeGreaterThan(BlockPlan.MAX_RUNS);
        BlockPlan plan = new BlockPlan(new TreeSet<>());
        // when
        List<CutArea> areas = plan.areas(7, PAGES, entries, List.of(plain(BASE, end)));
        // then
        List<Range> ranges = areas.getFirst().ranges().toList();
        assertThat(ranges.size()).isLessThanOrEqualTo(BlockPlan.MAX_RUNS).isGreaterThan(BlockPlan.MAX_RUNS - 1024);
        assertThat(ranges).doesNotHaveDuplicates().isSortedAccordingTo((a, b) -> Long.compare(a.start(), b.start()));
        // and nothing is left for the next task
        assertThat(plan.areas(8, PAGES, riddled(BASE, BASE + (8 << 20)), List.of(plain(BASE, BASE + (8 << 20)))))
                .isEmpty();
    }

    @Test
    void eachMappingIsAnAreaOfItsOwn() {
        // given pages in a row over three mappings, the one in between of another kind
        long mib = 1 << 20;
        Entry all = new Entry(new Range(BASE, BASE + 12 * mib), 0, DumpBuilder.PRESENT_LAZY, true);
        // when
        List<CutArea> areas = new BlockPlan(new TreeSet<>())
                .areas(
                        7,
                        PAGES,
                        List.of(all),
                        List.of(plain(BASE + mib, BASE + 5 * mib), plain(BASE + 6 * mib, BASE + 12 * mib)));
        // then
        assertThat(areas)
                .containsExactly(
                        new CutArea(
                                7,
                                PAGES,
                                List.of(
                                        new CutBlock(List.of(new CutRun(BASE + mib, mib, 3 * mib))),
                                        new CutBlock(List.of(new CutRun(BASE + 4 * mib, 4 * mib, mib))))),
                        new CutArea(
                                7,
                                PAGES,
                                List.of(
                                        new CutBlock(List.of(new CutRun(BASE + 6 * mib, 6 * mib, 2 * mib))),
                                        new CutBlock(List.of(new CutRun(BASE + 8 * mib, 8 * mib, 4 * mib))))));
    }
}
