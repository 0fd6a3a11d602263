package io.gpusnap.node.operation;

import org.jspecify.annotations.Nullable;

/** A stage's typed failure. The message is for people: what was found, and where it helps, what mends it. */
public final class StageException extends Exception {

    private enum Again {
        NEVER,
        STAGE,
        OPERATION
    }

    private final FailureCode code;
    private final Again again;

    private StageException(FailureCode code, String detail, Again again, @Nullable Throwable cause) {
        super(detail, cause);
        this.code = code;
        this.again = again;
    }

    /** A failure that trying again does not mend. */
    public StageException(FailureCode code, String detail) {
        this(code, detail, Again.NEVER, null);
    }

    public StageException(FailureCode code, String detail, @Nullable Throwable cause) {
        this(code, detail, Again.NEVER, cause);
    }

    /** A failure that may pass by itself: the stage's {@link RetryPolicy} decides whether it runs again. */
    public static StageException retryable(FailureCode code, String detail) {
        return new StageException(code, detail, Again.STAGE, null);
    }

    public static StageException retryable(FailureCode code, String detail, @Nullable Throwable cause) {
        return new StageException(code, detail, Again.STAGE, cause);
    }

    /** A failure that may pass by itself, but not soon: the operation ends, and whoever wants it asks again. */
    public static StageException later(FailureCode code, String detail, @Nullable Throwable cause) {
        return new StageException(code, detail, Again.OPERATION, cause);
    }

    public FailureCode code() {
        return code;
    }

    /** Whether the same operation may succeed when it is asked for again. */
    public boolean retryable() {
        return again != Again.NEVER;
    }

    /** Whether the stage itself may run again at once. */
    boolean repeatable() {
        return again == Again.STAGE;
    }

    /** The text for people, never null. */
    public String detail() {
        return String.valueOf(getMessage());
    }
}
