package io.gpusnap.node.agent;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Things that one operation at a time may work with. A waiter gets all of its own when they are free and nobody before it
 * waits for one of them.
 */
final class Exclusions {

    private static final long LOOK_AGAIN_MILLIS = 100;

    private record Waiter(Object identity, Set<String> keys) {}

    private final Set<String> taken = new HashSet<>();
    private final Deque<Waiter> waiters = new ArrayDeque<>();

    /**
     * @param first before all others that wait
     * @return false when the caller gave up before all were free
     */
    synchronized boolean take(Set<String> keys, boolean first, BooleanSupplier givenUp) throws InterruptedException {
        Waiter me = new Waiter(new Object(), Set.copyOf(keys));
        if (first) {
            waiters.addFirst(me);
        } else {
            waiters.addLast(me);
        }
        try {
            while (!isTurnOf(me)) {
                if (givenUp.getAsBoolean()) {
                    return false;
                }
                wait(LOOK_AGAIN_MILLIS);
            }
            taken.addAll(keys);
            return true;
        } finally {
            waiters.remove(me);
            notifyAll();
        }
    }

    private boolean isTurnOf(Waiter me) {
        if (!Collections.disjoint(taken, me.keys())) {
            return false;
        }
        return waiters.stream()
                .takeWhile(other -> !other.equals(me))
                .allMatch(other -> Collections.disjoint(other.keys(), me.keys()));
    }

    synchronized void release(Set<String> keys) {
        taken.removeAll(keys);
        notifyAll();
    }
}
