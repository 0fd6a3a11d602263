package io.gpusnap.node.transfer;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Who goes first on this node's ways to its stores. While somebody waits for a thaw all others stand still before their next chunk,
 * and while an urgent copy is made those that are less so. All together go no faster than they may: who is alone has all of it. One
 * object a node.
 */
public final class Traffic {

    private static final long LOOK_AGAIN_MILLIS = 20;

    /** After thaws, the first one first. */
    public enum Priority {
        URGENT,
        NORMAL,
        BACKGROUND
    }

    private final LongSupplier nanoTime;
    private final Optional<TokenBucket> everybody;
    /** Of the moves that are told what all of them may take together. */
    private final TokenBucket moves;

    private final List<Long> toldBytesPerSecond = new ArrayList<>();
    private final Map<Priority, Integer> running = new EnumMap<>(Priority.class);
    private int thaws;

    /** @param mostBytesPerSecond of all copies together; 0 for no bound */
    public Traffic(long mostBytesPerSecond) {
        this(mostBytesPerSecond, System::nanoTime);
    }

    Traffic(long mostBytesPerSecond, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.everybody = bucket(mostBytesPerSecond);
        this.moves = new TokenBucket(1, nanoTime);
    }

    private Optional<TokenBucket> bucket(long bytesPerSecond) {
        return bytesPerSecond > 0 ? Optional.of(new TokenBucket(bytesPerSecond, nanoTime)) : Optional.empty();
    }

    /** Somebody waits. Closing twice is harmless. */
    public interface Urgent extends AutoCloseable {
        @Override
        void close();
    }

    /** A thaw, from now until it is closed. */
    public Urgent urgent() {
        synchronized (this) {
            thaws++;
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
        return thaws == 0;
    }

    private synchronized void end() {
        thaws--;
        notifyAll();
    }

    /** What one copy asks before each chunk; others know of it until it is closed. */
    public final class Share implements AutoCloseable {

        private final Priority priority;
        private final List<TokenBucket> buckets;
        private final long told;
        private final AtomicBoolean open = new AtomicBoolean(true);

        private Share(Priority priority, List<TokenBucket> buckets, long told) {
            this.priority = priority;
            this.buckets = buckets;
            this.told = told;
            begin(this);
        }

        /** @param safePoint throws to end the wait */
        public void take(long bytes, Runnable safePoint) throws InterruptedException {
            safePoint.run();
            while (!awaitTurn(priority)) {
                safePoint.run();
            }
            for (TokenBucket bucket : buckets) {
                long end = nanoTime.getAsLong() + bucket.takeNanos(bytes);
                for (long left = end - nanoTime.getAsLong(); left > 0; left = end - nanoTime.getAsLong()) {
                    safePoint.run();
                    Thread.sleep(Math.min(LOOK_AGAIN_MILLIS, 1 + left / 1_000_000));
                }
            }
        }

        /** Closing twice is harmless. */
        @Override
        public void close() {
            if (open.compareAndSet(true, false)) {
                over(this);
            }
        }
    }

    /** @param mostBytesPerSecond of this one; 0 for no bound of its own */
    public Share share(Priority priority, long mostBytesPerSecond) {
        List<TokenBucket> buckets = new ArrayList<>();
        bucket(mostBytesPerSecond).ifPresent(buckets::add);
        everybody.ifPresent(buckets::add);
        return new Share(priority, buckets, 0);
    }

    /**
     * A copy between tiers.
     *
     * @param mostBytesPerSecond of all moves of this node together that are told a bound, the lowest that one of them is told; 0 for none
     */
    public Share move(Priority priority, long mostBytesPerSecond) {
        List<TokenBucket> buckets = new ArrayList<>();
        if (mostBytesPerSecond > 0) {
            buckets.add(moves);
        }
        everybody.ifPresent(buckets::add);
        return new Share(priority, buckets, mostBytesPerSecond);
    }

    private synchronized void begin(Share share) {
        running.merge(share.priority, 1, Integer::sum);
        if (share.told > 0) {
            toldBytesPerSecond.add(share.told);
            lowest();
        }
    }

    private synchronized void over(Share share) {
        running.merge(share.priority, -1, Integer::sum);
        if (share.told > 0) {
            toldBytesPerSecond.remove((Object) share.told);
            lowest();
        }
        notifyAll();
    }

    private void lowest() {
        toldBytesPerSecond.stream().min(Long::compare).ifPresent(moves::rate);
    }

    private synchronized boolean awaitTurn(Priority priority) throws InterruptedException {
        if (!isTurnOf(priority)) {
            wait(LOOK_AGAIN_MILLIS);
        }
        return isTurnOf(priority);
    }

    private boolean isTurnOf(Priority priority) {
        return thaws == 0
                && running.entrySet().stream()
                        .noneMatch(other -> other.getKey().compareTo(priority) < 0 && other.getValue() > 0);
    }
}
