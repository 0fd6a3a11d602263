package io.gpusnap.node.transfer;

import java.util.function.LongSupplier;

/**
 * Bytes per second, over all who share it. What is taken may exceed what is there: the debt is waited for afterwards, so a chunk
 * may be larger than a second's worth.
 */
final class TokenBucket {

    private static final double NANOS = 1e9;

    private double bytesPerSecond;
    private final LongSupplier nanoTime;
    private double balance;
    private long last;

    TokenBucket(long bytesPerSecond, LongSupplier nanoTime) {
        this.bytesPerSecond = bytesPerSecond;
        this.nanoTime = nanoTime;
        this.last = nanoTime.getAsLong();
    }

    /** From now on. What is owed stays owed. */
    synchronized void rate(long newBytesPerSecond) {
        settle();
        bytesPerSecond = newBytesPerSecond;
    }

    /** @return how long to wait for what was taken, 0 for not at all */
    synchronized long takeNanos(long bytes) {
        settle();
        balance -= bytes;
        return balance >= 0 ? 0 : (long) (-balance / bytesPerSecond * NANOS);
    }

    private void settle() {
        long now = nanoTime.getAsLong();
        // Never more than a second's worth: what was not used in a quiet hour is not owed.
        balance = Math.min(bytesPerSecond, balance + (now - last) / NANOS * bytesPerSecond);
        last = now;
    }
}
