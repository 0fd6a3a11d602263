package io.gpusnap.node.tier.blob;

import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether a medium is known to hang. While it is, calls fail at once, so that whoever has another place to read from goes there,
 * but for one at a time that looks whether it answers again. Thread-safe.
 */
public final class Hanging {

    private final String medium;
    private final long lookAgainNanos;
    private @Nullable String why;
    private long since;

    /** @param lookAgain how long after it was found to hang it is tried again */
    public Hanging(String medium, Duration lookAgain) {
        this.medium = medium;
        this.lookAgainNanos = lookAgain.toNanos();
    }

    /** Before each call. @throws TierException UNAVAILABLE while it hangs */
    public synchronized void admit() throws TierException {
        String known = why;
        if (known == null) {
            return;
        }
        if (System.nanoTime() - since < lookAgainNanos) {
            throw new TierException(Reason.UNAVAILABLE, medium + " is not used now: " + known);
        }
        since = System.nanoTime(); // this call looks, the others go on failing meanwhile
    }

    /** It hangs, or is not to be trusted for another reason. */
    public synchronized TierException found(String reason) {
        why = reason;
        since = System.nanoTime();
        return new TierException(Reason.UNAVAILABLE, medium + ": " + reason);
    }

    public synchronized void answered() {
        why = null;
    }

    /** Why, while it is known to. */
    public synchronized Optional<String> reason() {
        return Optional.ofNullable(why);
    }
}
