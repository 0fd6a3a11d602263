package io.gpusnap.node.tier;

import org.jspecify.annotations.Nullable;

/** A tier could not do what it was asked. The message names the chunk or the path. */
public final class TierException extends Exception {

    /** What the caller can do about it depends on this. */
    public enum Reason {
        /** The chunk is not there. */
        MISSING,
        /** The chunk is there and is not what its name says. */
        CORRUPT,
        /** It is encrypted by a key that this node cannot open: whoever has the key may find it as good as ever. */
        NO_KEY,
        /** This node asks for signatures, and it has none of a key that this node trusts. */
        UNTRUSTED,
        /** No room; nothing of the chunk was left behind. */
        NO_SPACE,
        /** The tier itself is in trouble. */
        IO,
        /** The tier does not answer now, or is not to be trusted now: another tier may help, or the same one later. */
        UNAVAILABLE,
        /** Somebody works with it now. */
        IN_USE,
        /** What is more urgent has kept it waiting for too long: to be asked for again. */
        PREEMPTED
    }

    private final Reason reason;

    public TierException(Reason reason, String message) {
        this(reason, message, null);
    }

    public TierException(Reason reason, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.reason = reason;
    }

    public Reason reason() {
        return reason;
    }
}
