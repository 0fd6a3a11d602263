package io.gpusnap.node.criu.image;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Which memory leaves a dump. Blocks lie on absolute addresses, so that a process gives the same ones in its next dump, and
 * have what is there of their pages: writing to a page that a process never touched would make it take memory.
 */
final class BlockPlan {

    /** A chunk of the store holds one. */
    static final long BLOCK_BYTES = 4 << 20;
    /** Processes have many mappings that are smaller, and hardly any memory in them. */
    static final long MIN_VMA_BYTES = 1 << 20;
    /** CRIU reads that much in less than 0.2 ms: not worth a file of its own. */
    static final long MIN_BLOCK_BYTES = 256 << 10;
    /** On average in a block. A run is a call and a line in the manifest: for single pages that would cost what it saves. */
    static final long MIN_RUN_BYTES = 2 * PageMap.PAGE_BYTES;
    /** For all tasks together, to keep manifests small; see the format's own limit. */
    static final int MAX_RUNS = 200_000;

    private final NavigableSet<Long> kernelPages;
    private int runs;

    BlockPlan(NavigableSet<Long> kernelPages) {
        this.kernelPages = kernelPages;
    }

    /** @param vmas in order, all of them memory that can be cut */
    List<CutArea> areas(int taskId, Path pagesFile, List<PageMap.Entry> entries, List<Vma> vmas) {
        List<CutArea> areas = new ArrayList<>();
        int first = 0;
        for (Vma vma : vmas) {
            while (first < entries.size()
                    && entries.get(first).range().end() <= vma.range().start()) {
                first++;
            }
            SortedMap<Long, List<CutRun>> blocks = new TreeMap<>();
            for (int i = first;
                    i < entries.size()
                            && entries.get(i).range().start() < vma.range().end();
                    i++) {
                split(entries.get(i), vma.range(), blocks);
            }
            List<CutBlock> worthwhile = blocks.values().stream()
                    .map(CutBlock::new)
                    .filter(this::accept)
                    .toList();
            if (!worthwhile.isEmpty()) {
                areas.add(new CutArea(taskId, pagesFile, worthwhile));
            }
        }
        return areas;
    }

    private void split(PageMap.Entry entry, Range vma, SortedMap<Long, List<CutRun>> blocks) {
        Range part = vma.common(entry.range());
        for (long at = part.start(); at < part.end(); ) {
            if (kernelPages.contains(at)) {
                at += PageMap.PAGE_BYTES;
                continue;
            }
            long end = Math.min(part.end(), (at / BLOCK_BYTES + 1) * BLOCK_BYTES);
            Long kernelPage = kernelPages.higher(at);
            if (kernelPage != null) {
                end = Math.min(end, kernelPage);
            }
            long offset = entry.offset() + at - entry.range().start();
            CutRun.append(
                    blocks.computeIfAbsent(at / BLOCK_BYTES, number -> new ArrayList<>()),
                    new CutRun(at, offset, end - at));
            at = end;
        }
    }

    private boolean accept(CutBlock block) {
        int count = block.runs().size();
        long sizeBytes = block.sizeBytes();
        if (sizeBytes < MIN_BLOCK_BYTES || sizeBytes < count * MIN_RUN_BYTES || count > MAX_RUNS - runs) {
            return false;
        }
        runs += count;
        return true;
    }
}
