package io.gpusnap.node.operation;

/** What becomes of an operation that a daemon's death cut off in a stage. */
public enum OnRestart {
    /** Every started stage is undone and the operation ends FAILED with DAEMON_RESTARTED. */
    COMPENSATE,
    /** The stage runs again, from remembered facts alone, and the operation goes on. */
    RERUN
}
