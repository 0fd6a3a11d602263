package io.gpusnap.gpu;

import java.lang.foreign.MemorySegment;

/**
 * One piece of a copy.
 *
 * @param deviceAddress an allocation's local address and an offset in it
 * @param host native memory of the piece's size; in a {@link PinnedPool} for full speed
 */
public record CopyItem(long deviceAddress, MemorySegment host) {

    public CopyItem {
        if (!host.isNative()) {
            throw new IllegalArgumentException("a copy needs native memory");
        }
    }
}
