package io.gpusnap.node.tier;

import java.util.concurrent.atomic.AtomicLong;

/** Room that a save was told it has: what is brought meanwhile leaves it alone. It is used up as the save writes. Thread-safe. */
public final class RoomPromise implements AutoCloseable {

    private final AtomicLong ofAll;
    private final AtomicLong leftBytes = new AtomicLong();

    /** @param ofAll sum of what is left of all promises of a store */
    RoomPromise(AtomicLong ofAll, long sizeBytes) {
        this.ofAll = ofAll;
        leftBytes.set(sizeBytes);
        ofAll.addAndGet(sizeBytes);
    }

    /** So much of it was written. */
    public void used(long sizeBytes) {
        long before = leftBytes.getAndUpdate(left -> Math.max(0, left - sizeBytes));
        ofAll.addAndGet(-Math.min(before, sizeBytes));
    }

    /** Nothing of it is needed any more. */
    @Override
    public void close() {
        used(Long.MAX_VALUE);
    }
}
