package io.gpusnap.service.restore;

/** How far a restore is. */
public enum RestoreState {
    /** The way that is tried waits for its node. */
    PENDING,
    RUNNING,
    /** The process is back. */
    SUCCEEDED,
    /** Nothing came back, and the caller did not want to be told to start it itself. */
    FAILED,
    CANCELLED,
    /** Nothing comes back: start it yourself. */
    COLD
}
