package io.gpusnap.node.criu.image;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Memory of a process that is to be restored without CRIU: what of one mapping can be.
 *
 * @param taskId pid as the process itself has it
 * @param pages file that holds its content, unchanged for as long as the dump is there
 * @param blocks in order
 */
public record CutArea(int taskId, Path pages, List<CutBlock> blocks) {

    public CutArea {
        blocks = List.copyOf(blocks);
    }

    public long sizeBytes() {
        return blocks.stream().mapToLong(CutBlock::sizeBytes).sum();
    }

    Stream<Range> ranges() {
        return blocks.stream().flatMap(block -> block.runs().stream()).map(CutRun::range);
    }
}
