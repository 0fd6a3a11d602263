package io.gpusnap.node.tier;

import java.lang.foreign.MemorySegment;

/**
 * A part of the pinned pool, held by whoever got it from the {@link MemoryTier}.
 *
 * @param memory all of the slot, 4 MiB, page-aligned
 */
public record Slot(int index, MemorySegment memory) {

    public static final int BYTES = 4 << 20;

    public MemorySegment first(int sizeBytes) {
        return memory.asSlice(0, sizeBytes);
    }
}
