package io.gpusnap.gpu;

/** How the driver's checkpoint sees a process; the constants are in the order of {@code gpusnap_process_state}. */
public enum ProcessState {
    RUNNING,
    LOCKED,
    CHECKPOINTED,
    /** For good: a restore failed. */
    FAILED;

    static ProcessState of(int value) throws GpuException {
        if (value < 0 || value >= values().length) {
            throw new GpuException(GpuStatus.DRIVER, "the driver reports an unknown process state: " + value);
        }
        return values()[value];
    }
}
