package io.gpusnap.node.criu.image;

import java.util.List;

/**
 * Pages of a process that follow each other.
 *
 * @param address of the first one
 * @param offset of its content in the pages file
 */
public record CutRun(long address, long offset, long sizeBytes) {

    Range range() {
        return new Range(address, address + sizeBytes);
    }

    private boolean isFollowedBy(CutRun next) {
        return address + sizeBytes == next.address && offset + sizeBytes == next.offset;
    }

    /** Adds it to runs in order, as a part of the last one where it goes on with that. */
    static void append(List<CutRun> runs, CutRun run) {
        if (!runs.isEmpty() && runs.getLast().isFollowedBy(run)) {
            CutRun last = runs.removeLast();
            runs.add(new CutRun(last.address, last.offset, last.sizeBytes + run.sizeBytes));
        } else {
            runs.add(run);
        }
    }
}
