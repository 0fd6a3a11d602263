package io.gpusnap.node.criu.image;

import java.util.List;

/**
 * What is there of 4 MiB of a process's memory, at an address that is a multiple of that.
 *
 * @param runs in order, with a gap before each but the first
 */
public record CutBlock(List<CutRun> runs) {

    public CutBlock {
        runs = List.copyOf(runs);
    }

    public long sizeBytes() {
        return runs.stream().mapToLong(CutRun::sizeBytes).sum();
    }
}
