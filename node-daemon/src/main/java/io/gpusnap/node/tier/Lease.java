package io.gpusnap.node.tier;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Holds a clean copy in the memory tier in its place. Closing twice is harmless. */
public final class Lease implements AutoCloseable {

    private final MemoryTier tier;
    private final int slot;
    private final MemorySegment content;
    private final AtomicBoolean closed = new AtomicBoolean();

    Lease(MemoryTier tier, int slot, MemorySegment content) {
        this.tier = tier;
        this.slot = slot;
        this.content = content;
    }

    /** The chunk's bytes in pinned memory; not to be written, not to be used after closing. */
    public MemorySegment content() {
        return content;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            tier.release(slot);
        }
    }
}
