package io.gpusnap.node.agent;

import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * Until when an operation is this daemon's, on the monotonic clock. Counted from before the request that renewed it was
 * sent, so that it never outlasts the service's own.
 */
final class Lease {

    private final LongSupplier nanoTime;
    private final Duration length;
    private volatile long renewedAtNanos;

    Lease(LongSupplier nanoTime, Duration length) {
        this.nanoTime = nanoTime;
        this.length = length;
        this.renewedAtNanos = nanoTime.getAsLong();
    }

    /** A moment to give to {@link #renewed} once the service has agreed. */
    long now() {
        return nanoTime.getAsLong();
    }

    void renewed(long sentAtNanos) {
        renewedAtNanos = sentAtNanos;
    }

    boolean expired() {
        return nanoTime.getAsLong() - renewedAtNanos > length.toNanos();
    }
}
