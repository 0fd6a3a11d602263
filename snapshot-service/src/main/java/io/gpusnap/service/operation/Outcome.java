package io.gpusnap.service.operation;

import java.util.List;

/** How an operation ended. */
public sealed interface Outcome {

    /** A SAVE made a snapshot. */
    record Saved(Completion.SaveResult result) implements Outcome {}

    /** A THAW brought a process back. */
    record Thawed(Completion.ThawResult result) implements Outcome {}

    /** A SWITCH brought a process back; those who made room are snapshots now. */
    record Switched(Completion.ThawResult result, List<Completion.SuspendResult> suspended) implements Outcome {}

    /** A SWITCH brought a process back, and failed to make a snapshot of each who made room; what it has made stands. */
    record SwitchedInPart(Failure failure, Switched made) implements Outcome {}

    /** A VERIFY or a DELETE went through. */
    record Done() implements Outcome {}

    /** Work on a tier went through. */
    record OfTier(TierResult result) implements Outcome {}

    /** It failed, and was undone as far as possible. */
    record Failed(Failure failure) implements Outcome {}

    /** It was cancelled and undone. */
    record Cancelled() implements Outcome {}
}
