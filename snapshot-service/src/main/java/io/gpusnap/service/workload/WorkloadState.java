package io.gpusnap.service.workload;

/** What is known of a process. */
public enum WorkloadState {
    RUNNING,
    /** Stopped at its gate for a moment, in the middle of an operation. */
    QUIESCED,
    /** Frozen, its device memory in a snapshot; it waits to be resumed. */
    SUSPENDED,
    /** The daemon cannot tell, or its node is silent. */
    UNKNOWN,
    /** Its node was lost. */
    LOST,
    /** It ended. */
    GONE;

    /** Whether the process may still exist. */
    public boolean mayExist() {
        return this != LOST && this != GONE;
    }
}
