package io.gpusnap.node.operation;

/** Where a stage stands; the names are part of the node API. What follows what is in {@link Transitions}. */
public enum StageState {
    PENDING,
    RUNNING,
    SUCCEEDED,
    FAILED,
    SKIPPED,
    COMPENSATED;

    /** Started and not yet undone: compensation has to look at it. */
    boolean needsUndo() {
        return this == RUNNING || this == SUCCEEDED || this == FAILED;
    }
}
