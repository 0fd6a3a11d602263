package io.gpusnap.node.operation;

import java.util.List;
import java.util.Optional;

/** How an operation ended. Whatever it left to later readers is among its remembered facts. */
public sealed interface OperationOutcome {

    record Succeeded() implements OperationOutcome {}

    /**
     * @param stage where it failed; empty when it failed between stages
     * @param retryable whether the same operation may succeed later
     * @param undoProblems what compensation could not undo, one text a stage; empty when all was undone
     */
    record Failed(FailureCode code, String detail, Optional<String> stage, boolean retryable, List<String> undoProblems)
            implements OperationOutcome {

        public Failed {
            undoProblems = List.copyOf(undoProblems);
        }
    }

    /** @param code CANCELLED on request, LEASE_LOST when the operation was fenced */
    record Cancelled(FailureCode code, String reason, Optional<String> stage, List<String> undoProblems)
            implements OperationOutcome {

        public Cancelled {
            undoProblems = List.copyOf(undoProblems);
        }
    }

    /** The same outcome with what its compensation could not undo. */
    default OperationOutcome withUndoProblems(List<String> problems) {
        return switch (this) {
            case Succeeded succeeded -> succeeded;
            case Failed f -> new Failed(f.code(), f.detail(), f.stage(), f.retryable(), problems);
            case Cancelled c -> new Cancelled(c.code(), c.reason(), c.stage(), problems);
        };
    }
}
