package io.gpusnap.node.agent;

import java.util.HashSet;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Things that one operation at a time may work with. Waiters get them when all of theirs are free. */
final class Exclusions {

    private static final long LOOK_AGAIN_MILLIS = 100;

    private final Set<String> taken = new HashSet<>();

    /** @return false when the caller gave up before all were free */
    synchronized boolean take(Set<String> keys, BooleanSupplier givenUp) throws InterruptedException {
        while (keys.stream().anyMatch(taken::contains)) {
            if (givenUp.getAsBoolean()) {
                return false;
            }
            wait(LOOK_AGAIN_MILLIS);
        }
        taken.addAll(keys);
        return true;
    }

    synchronized void release(Set<String> keys) {
        taken.removeAll(keys);
        notifyAll();
    }
}
