package io.gpusnap.node.operation;

/** Where an operation stands. What follows what is in {@link Transitions}. */
public enum OperationState {
    PENDING,
    RUNNING,
    UNDOING,
    SUCCEEDED,
    FAILED,
    CANCELLED
}
