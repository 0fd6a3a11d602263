package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When a shared store is looked through for what other nodes have put and deleted. One look at a time, for all who wait for it, whether it
 * goes well or not. An interrupt ends a wait. Thread-safe.
 */
final class Looks {

    private static final long AGAIN_NANOS = 30_000_000_000L;

    /** Brings what is known to what the store has now. */
    interface Look {
        void through() throws TierException;
    }

    /** @param begunAt by {@link System#nanoTime} */
    private record Failed(long begunAt, TierException why) {}

    private final Look look;
    /** Held while the store is asked. */
    private final ReentrantLock lock = new ReentrantLock();

    private volatile boolean done;
    /** By {@link System#nanoTime}: what was in the store then is known. */
    private volatile long begunAt;

    private volatile long endedAt;
    /** The last look, where it failed. */
    private @Nullable Failed failed;

    Looks(Look look) {
        this.look = look;
    }

    /** @throws TierException of the look; UNAVAILABLE when it was interrupted: so do all others here */
    void anew() throws TierException {
        enter();
        try {
            lookThrough();
        } finally {
            lock.unlock();
        }
    }

    /** Without the lock where there is nothing to do: whoever has it may be waiting for the store. */
    void once() throws TierException {
        if (!done) {
            unless(() -> done, System.nanoTime());
        }
    }

    /** @return whether it was worth looking again for what is not known */
    boolean again() throws TierException {
        long asked = System.nanoTime();
        if (done && asked - endedAt < AGAIN_NANOS) {
            return false;
        }
        since(asked);
        return true;
    }

    /** Once for all who wait for it. @param nanos of {@link System#nanoTime}: nothing is done where a look has begun since */
    void since(long nanos) throws TierException {
        unless(() -> done && begunAt - nanos >= 0, nanos);
    }

    /**
     * Looks, unless another thread has seen to it meanwhile. The failure of a look that has begun since is everybody's: the store does not answer,
     * and each of those who wait would find that out by a deadline of its own, one after the other.
     */
    private void unless(BooleanSupplier known, long asked) throws TierException {
        enter();
        try {
            if (known.getAsBoolean()) {
                return;
            }
            Failed before = failed;
            if (before != null && before.begunAt - asked >= 0) {
                throw new TierException(before.why.reason(), String.valueOf(before.why.getMessage()), before.why);
            }
            lookThrough();
        } finally {
            lock.unlock();
        }
    }

    private void lookThrough() throws TierException {
        long begun = System.nanoTime();
        failed = null;
        try {
            look.through();
        } catch (TierException e) {
            // An interrupt is this thread's, and says nothing of the store.
            if (!Thread.currentThread().isInterrupted()) {
                failed = new Failed(begun, e);
            }
            throw e;
        }
        begunAt = begun;
        done = true;
        endedAt = System.nanoTime();
    }

    private void enter() throws TierException {
        try {
            lock.lockInterruptibly();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new TierException(Reason.UNAVAILABLE, "interrupted while another thread looked through the store", e);
        }
    }
}
