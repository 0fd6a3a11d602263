package io.gpusnap.node.operation;

import org.jspecify.annotations.Nullable;

/** A stage's typed failure. The message is for people: what was found, and where it helps, what mends it. */
public final class StageException extends Exception {

    private final FailureCode code;
    private final boolean retryable;

    private StageException(FailureCode code, String detail, boolean retryable, @Nullable Throwable cause) {
        super(detail, cause);
        this.code = code;
        this.retryable = retryable;
    }

    /** A failure that trying again does not mend. */
    public StageException(FailureCode code, String detail) {
        this(code, detail, false, null);
    }

    public StageException(FailureCode code, String detail, @Nullable Throwable cause) {
        this(code, detail, false, cause);
    }

    /** A failure that may pass by itself: the stage's {@link RetryPolicy} decides whether it runs again. */
    public static StageException retryable(FailureCode code, String detail) {
        return new StageException(code, detail, true, null);
    }

    public static StageException retryable(FailureCode code, String detail, @Nullable Throwable cause) {
        return new StageException(code, detail, true, cause);
    }

    public FailureCode code() {
        return code;
    }

    public boolean retryable() {
        return retryable;
    }

    /** The text for people, never null. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
