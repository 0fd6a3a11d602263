package io.gpusnap.node.operation;

import java.util.function.LongSupplier;

/**
 * A rate smoothed over irregular looks: the weight of the newest interval is 1 - e^(-interval / 3 s), so many short looks
 * and one long one give the same answer. Looks less than 100 ms apart are joined.
 */
final class RateMeter {

    private static final double SMOOTHING_NANOS = 3e9;
    private static final long SHORTEST_INTERVAL_NANOS = 100_000_000;

    private final LongSupplier nanoTime;
    private long lastNanos;
    private long lastBytes;
    private double rate;
    private boolean warm;

    RateMeter(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.lastNanos = nanoTime.getAsLong();
    }

    synchronized double bytesPerSecond(long bytesNow) {
        long now = nanoTime.getAsLong();
        long interval = now - lastNanos;
        if (interval < SHORTEST_INTERVAL_NANOS) {
            return rate;
        }
        double latest = (bytesNow - lastBytes) * 1e9 / interval;
        double weight = warm ? 1 - Math.exp(-interval / SMOOTHING_NANOS) : 1;
        rate += weight * (latest - rate);
        // The first bytes may come long after the start: until then there is nothing to smooth.
        warm = warm || latest > 0;
        lastNanos = now;
        lastBytes = bytesNow;
        return rate;
    }
}
