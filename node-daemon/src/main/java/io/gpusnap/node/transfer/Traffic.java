package io.gpusnap.node.transfer;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Who goes first on this node's ways to its stores: while somebody waits for a thaw, copies between tiers stand still before
 * their next chunk; and they go no faster than they may. One object a node.
 */
public final class Traffic {

    private static final long LOOK_AGAIN_MILLIS = 20;

    private final LongSupplier nanoTime;
    private final Optional<TokenBucket> everybody;
    private int urgent;

    /** @param mostBytesPerSecond of all copies together; 0 for no bound */
    public Traffic(long mostBytesPerSecond) {
        this(mostBytesPerSecond, System::nanoTime);
    }

    Traffic(long mostBytesPerSecond, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.everybody = bucket(mostBytesPerSecond);
    }

    private Optional<TokenBucket> bucket(long bytesPerSecond) {
        return bytesPerSecond > 0 ? Optional.of(new TokenBucket(bytesPerSecond, nanoTime)) : Optional.empty();
    }

    /** Somebody waits. Closing twice is harmless. */
    public interface Urgent extends AutoCloseable {
        @Override
        void close();
    }

    public Urgent urgent() {
        synchronized (this) {
            urgent++;
        }
        AtomicBoolean open = new AtomicBoolean(true);
        return () -> {
            if (open.compareAndSet(true, false)) {
                end();
            }
        };
    }

    /** Whether nobody waits for a thaw of this node. */
    public synchronized boolean isQuiet() {
        return urgent == 0;
    }

    private synchronized void end() {
        urgent--;
        notifyAll();
    }

    /** What one copy asks before each chunk. */
    public final class Share {

        private final List<TokenBucket> buckets;
        private final boolean yields;

        private Share(List<TokenBucket> buckets, boolean yields) {
            this.buckets = buckets;
            this.yields = yields;
        }

        /** @param safePoint throws to end the wait */
        public void take(long bytes, Runnable safePoint) throws InterruptedException {
            safePoint.run();
            while (yields && !awaitQuiet()) {
                safePoint.run();
            }
            for (TokenBucket bucket : buckets) {
                long end = System.nanoTime() + bucket.takeNanos(bytes);
                for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
                    safePoint.run();
                    Thread.sleep(Math.min(LOOK_AGAIN_MILLIS, 1 + left / 1_000_000));
                }
            }
        }
    }

    /**
     * @param mostBytesPerSecond of this copy; 0 for no bound of its own
     * @param yields whether thaws go before it
     */
    public Share share(long mostBytesPerSecond, boolean yields) {
        List<TokenBucket> buckets = new java.util.ArrayList<>();
        bucket(mostBytesPerSecond).ifPresent(buckets::add);
        everybody.ifPresent(buckets::add);
        return new Share(buckets, yields);
    }

    private synchronized boolean awaitQuiet() throws InterruptedException {
        if (urgent > 0) {
            wait(LOOK_AGAIN_MILLIS);
        }
        return urgent == 0;
    }
}
