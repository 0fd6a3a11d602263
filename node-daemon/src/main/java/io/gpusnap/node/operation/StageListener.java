package io.gpusnap.node.operation;

/** Watches operations, on the thread that runs them. Implementations are quick and do not throw. */
public interface StageListener {

    StageListener NONE = new StageListener() {};

    default void reached(OperationSpec spec, String stage, StagePoint point) {}

    /** After each change that the journal has taken. */
    default void stageChanged(OperationSpec spec, StageStatus status) {}

    default void ended(OperationSpec spec, OperationOutcome outcome) {}
}
