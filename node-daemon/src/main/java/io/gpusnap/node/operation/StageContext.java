package io.gpusnap.node.operation;

import java.util.Optional;

/** What a running stage knows of its operation. Thread-safe. */
public interface StageContext {

    OperationId operationId();

    /** Of the current attempt of the current stage: every attempt starts at zero. */
    Progress progress();

    /**
     * A safe point: returns at once, or leaves the stage when the operation was cancelled. Never throws during
     * compensation nor from a {@link Stage#pointOfNoReturn()} on.
     */
    void checkCancelled() throws OperationCancelledException;

    /**
     * Keeps a fact for later stages, for compensation, and across a daemon crash, from before it returns. The machine's death it
     * survives from the next {@link Stage#lasting} stage on. One value per record class: a later one replaces it.
     *
     * @throws IllegalArgumentException when the class is not in the {@link FactRegistry}
     * @throws JournalException when it cannot be written
     */
    void remember(Record fact);

    <T extends Record> Optional<T> recall(Class<T> type);

    /**
     * The same operation with facts of its own: for stages that are run for several subjects. Progress is a part of the
     * stage's, safe points are the stage's.
     *
     * @param scope the subject's name within the operation, never empty
     */
    StageContext scoped(String scope);
}
