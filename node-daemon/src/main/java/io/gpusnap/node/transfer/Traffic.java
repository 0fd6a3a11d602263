package io.gpusnap.node.transfer;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;

/**
 * Who goes first on this node's ways to its stores. While somebody waits for a thaw all others stand still before their next chunk,
 * and while an urgent copy is made those that are less so. Moves, exports, imports, scrubs and verifications of shared tiers all take
 * from what the node may, so that together they go no faster: who is alone has all of it. One object a node.
 */
public final class Traffic {

    /** How long a move stands still unless a setting says otherwise. */
    public static final Duration MOST_STILL = Duration.ofHours(1);

    private static final long LOOK_AGAIN_MILLIS = 20;

    /** After thaws, the first one first. */
    public enum Priority {
        URGENT,
        NORMAL,
        BACKGROUND
    }

    private final LongSupplier nanoTime;
    private final Duration mostStill;
    private final Optional<TokenBucket> everybody;
    /** What moves are told that the node may take, for all that goes to and from its stores. */
    private final TokenBucket node;

    /** Of the moves that run, those that were told one. */
    private final List<Long> toldBytesPerSecond = new ArrayList<>();
    /** Holds when none of them was told any; 0 for no bound. */
    private long lastToldBytesPerSecond;

    private boolean nodeIsBound;
    private final Map<Priority, Integer> running = new EnumMap<>(Priority.class);
    private int thaws;

    /** @param mostBytesPerSecond of all together; 0 for no bound */
    public Traffic(long mostBytesPerSecond) {
        this(mostBytesPerSecond, MOST_STILL);
    }

    /** @param mostStill how long a move stands still for others, in all, before it ends */
    public Traffic(long mostBytesPerSecond, Duration mostStill) {
        this(mostBytesPerSecond, mostStill, System::nanoTime);
    }

    Traffic(long mostBytesPerSecond, Duration mostStill, LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
        this.mostStill = mostStill;
        this.everybody = bucket(mostBytesPerSecond);
        this.node = new TokenBucket(1, nanoTime);
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

    /** Asked while somebody waits. */
    @FunctionalInterface
    public interface SafePoint {

        /** Throws to end the wait. */
        void run() throws TierException;
    }

    /** What one copy asks before each chunk; others know of it until it is closed. */
    public final class Share implements AutoCloseable {

        private final Priority priority;
        private final Optional<TokenBucket> own;
        private final Optional<Move> move;
        private final AtomicBoolean open = new AtomicBoolean(true);

        private Share(Priority priority, Optional<TokenBucket> own, Optional<Move> move) {
            this.priority = priority;
            this.own = own;
            this.move = move;
            begin(this);
        }

        /**
         * From any thread.
         *
         * @param safePoint asked at least every few milliseconds while it waits
         * @throws TierException PREEMPTED: a move that has stood still for as long as it may; of the safe point
         */
        public void take(long bytes, SafePoint safePoint) throws TierException, InterruptedException {
            safePoint.run();
            while (!awaitTurn(this)) {
                safePoint.run();
            }
            for (TokenBucket bucket : buckets(own)) {
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

    /**
     * Whatever is no move. It takes from what the node may as well.
     *
     * @param mostBytesPerSecond of this one; 0 for no bound of its own
     */
    public Share share(Priority priority, long mostBytesPerSecond) {
        return new Share(priority, bucket(mostBytesPerSecond), Optional.empty());
    }

    /**
     * A copy between tiers that the service asks for. It ends when it has stood still for too long, and may be asked for again.
     *
     * @param mostBytesPerSecond of all of this node together: the lowest that a running move was told holds, and where none of them was
     *     told any, what the last one was told; 0 for no bound
     */
    public Share move(Priority priority, long mostBytesPerSecond) {
        return new Share(priority, Optional.empty(), Optional.of(new Move(mostBytesPerSecond)));
    }

    /** What is known of a move. Guarded by the traffic. */
    private static final class Move {
        private final long toldBytesPerSecond;
        /** The time in which at least one of its threads has stood still. */
        private long stillNanos;

        private long countedUntil = Long.MIN_VALUE;

        private Move(long toldBytesPerSecond) {
            this.toldBytesPerSecond = toldBytesPerSecond;
        }

        private void stoodStill(long from, long until) {
            stillNanos += Math.max(0, until - Math.max(from, countedUntil));
            countedUntil = Math.max(until, countedUntil);
        }
    }

    private synchronized void begin(Share share) {
        running.merge(share.priority, 1, Integer::sum);
        share.move.ifPresent(move -> {
            lastToldBytesPerSecond = move.toldBytesPerSecond;
            if (move.toldBytesPerSecond > 0) {
                toldBytesPerSecond.add(move.toldBytesPerSecond);
            }
            bind();
        });
    }

    private synchronized void over(Share share) {
        running.merge(share.priority, -1, Integer::sum);
        share.move.ifPresent(move -> {
            toldBytesPerSecond.remove((Object) move.toldBytesPerSecond);
            bind();
        });
        notifyAll();
    }

    private void bind() {
        long rate = toldBytesPerSecond.stream().min(Long::compare).orElse(lastToldBytesPerSecond);
        nodeIsBound = rate > 0;
        if (nodeIsBound) {
            node.rate(rate);
        }
    }

    private synchronized List<TokenBucket> buckets(Optional<TokenBucket> own) {
        List<TokenBucket> buckets = new ArrayList<>();
        own.ifPresent(buckets::add);
        if (nodeIsBound) {
            buckets.add(node);
        }
        everybody.ifPresent(buckets::add);
        return buckets;
    }

    private synchronized boolean awaitTurn(Share share) throws TierException, InterruptedException {
        if (isTurnOf(share.priority)) {
            return true;
        }
        long since = nanoTime.getAsLong();
        wait(LOOK_AGAIN_MILLIS);
        if (isTurnOf(share.priority)) {
            return true;
        }
        if (share.move.isPresent()) {
            share.move.get().stoodStill(since, nanoTime.getAsLong());
            if (share.move.get().stillNanos >= mostStill.toNanos()) {
                throw new TierException(
                        Reason.PREEMPTED,
                        "it has stood still for thaws and more urgent copies for %d s (tiers.standStillSeconds)"
                                .formatted(mostStill.toSeconds()));
            }
        }
        return false;
    }

    private boolean isTurnOf(Priority priority) {
        return thaws == 0
                && running.entrySet().stream()
                        .noneMatch(other -> other.getKey().compareTo(priority) < 0 && other.getValue() > 0);
    }
}
