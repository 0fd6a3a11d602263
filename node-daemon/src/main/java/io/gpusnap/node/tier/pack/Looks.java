package io.gpusnap.node.tier.pack;

import io.gpusnap.node.tier.TierException;

/** When a shared store is looked through for what other nodes have put and deleted. Thread-safe. */
final class Looks {

    private static final long AGAIN_NANOS = 30_000_000_000L;

    /** Brings what is known to what the store has now. */
    interface Look {
        void through() throws TierException;
    }

    private final Look look;
    /** Held while the store is asked. */
    private final Object lock = new Object();

    private volatile boolean done;
    /** By {@link System#nanoTime}: what was in the store then is known. */
    private volatile long begunAt;

    private volatile long endedAt;

    Looks(Look look) {
        this.look = look;
    }

    void anew() throws TierException {
        synchronized (lock) {
            long begun = System.nanoTime();
            look.through();
            begunAt = begun;
            done = true;
            endedAt = System.nanoTime();
        }
    }

    /** Without the lock where there is nothing to do: whoever has it may be waiting for the store. */
    void once() throws TierException {
        if (!done) {
            first();
        }
    }

    private void first() throws TierException {
        synchronized (lock) {
            if (!done) {
                anew();
            }
        }
    }

    /** @return whether it was worth looking again for what is not known */
    boolean again() throws TierException {
        if (done && System.nanoTime() - endedAt < AGAIN_NANOS) {
            return false;
        }
        anew();
        return true;
    }

    /** Once for all who wait for it. @param nanos of {@link System#nanoTime}: nothing is done where a look has begun since */
    void since(long nanos) throws TierException {
        synchronized (lock) {
            if (!done || begunAt - nanos < 0) {
                anew();
            }
        }
    }
}
