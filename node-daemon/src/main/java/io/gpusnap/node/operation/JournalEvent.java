package io.gpusnap.node.operation;

import java.time.Instant;

/** One line of an operation's journal. */
sealed interface JournalEvent {

    record StageChanged(String stage, StageState state, int attempt, long doneBytes, long totalBytes, Instant at)
            implements JournalEvent {}

    /** @param scope "" for the operation's own facts */
    record FactRemembered(String scope, Record fact) implements JournalEvent {}

    /** Undoing began; the outcome is what the operation will end with. */
    record UndoStarted(OperationOutcome outcome) implements JournalEvent {}

    record Ended(OperationOutcome outcome) implements JournalEvent {}
}
