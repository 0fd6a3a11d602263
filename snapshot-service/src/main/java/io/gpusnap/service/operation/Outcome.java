package io.gpusnap.service.operation;

/** How an operation ended. */
public sealed interface Outcome {

    /** A SAVE made a snapshot. */
    record Saved(Completion.SaveResult result) implements Outcome {}

    /** A THAW brought a process back. */
    record Thawed(Completion.ThawResult result) implements Outcome {}

    /** A VERIFY or a DELETE went through. */
    record Done() implements Outcome {}

    /** It failed, and was undone as far as possible. */
    record Failed(Failure failure) implements Outcome {}

    /** It was cancelled and undone. */
    record Cancelled() implements Outcome {}
}
