package io.gpusnap.node.transfer;

import java.util.Collection;

/** Waits for threads that must not be left behind, because what they work with is their maker's. */
public final class Joining {

    private Joining() {}

    /** Returns when none of them runs any more. An interrupt meanwhile stays with the caller. */
    public static void all(Collection<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
