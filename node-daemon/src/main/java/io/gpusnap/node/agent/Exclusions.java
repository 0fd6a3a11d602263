package io.gpusnap.node.agent;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Things that one operation at a time may work with. A waiter gets all of its own when they are free and nobody before it
 * waits for one of them.
 */
final class Exclusions {

    private static final long LOOK_AGAIN_MILLIS = 100;

    private static final class Waiter {
        /** Null while it is not known yet what it needs: until then everybody behind it waits. */
        private @Nullable Set<String> keys;

        private boolean isInTheWayOf(Set<String> others) {
            return keys == null || !Collections.disjoint(keys, others);
        }
    }

    private final Set<String> taken = new HashSet<>();
    private final Deque<Waiter> waiters = new ArrayDeque<>();

    /**
     * @param needs found out after the place in the queue is taken, because it may take a while
     * @param first before all others that wait
     * @return what was taken, to be released; empty when the caller gave up before all were free
     */
    Optional<Set<String>> take(Supplier<Set<String>> needs, boolean first, BooleanSupplier givenUp)
            throws InterruptedException {
        Waiter me = new Waiter();
        enter(me, first);
        try {
            return take(me, Set.copyOf(needs.get()), givenUp);
        } finally {
            leave(me);
        }
    }

    private synchronized void enter(Waiter me, boolean first) {
        if (first) {
            waiters.addFirst(me);
        } else {
            waiters.addLast(me);
        }
    }

    private synchronized Optional<Set<String>> take(Waiter me, Set<String> keys, BooleanSupplier givenUp)
            throws InterruptedException {
        me.keys = keys;
        notifyAll();
        while (!isTurnOf(me, keys)) {
            if (givenUp.getAsBoolean()) {
                return Optional.empty();
            }
            wait(LOOK_AGAIN_MILLIS);
        }
        taken.addAll(keys);
        return Optional.of(keys);
    }

    private synchronized void leave(Waiter me) {
        waiters.remove(me);
        notifyAll();
    }

    private boolean isTurnOf(Waiter me, Set<String> keys) {
        return Collections.disjoint(taken, keys)
                && waiters.stream().takeWhile(other -> other != me).noneMatch(other -> other.isInTheWayOf(keys));
    }

    synchronized void release(Set<String> keys) {
        taken.removeAll(keys);
        notifyAll();
    }
}
