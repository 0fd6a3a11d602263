package io.gpusnap.gpu;

/** Where a workload stands between running and frozen; the constants are in the order of {@code gpusnap_target_state}. */
public enum TargetState {
    /** The gate is open. */
    RUNNING,
    /** The gate is closed, the device idle, the memory mapped. */
    QUIESCED,
    /** The gate is closed, physical memory returned, address ranges reserved. */
    RELEASED,
    /** The gate is closed, fresh memory mapped, its content undefined until filled. */
    REMAPPED;

    static TargetState of(int value) throws GpuException {
        if (value < 0 || value >= values().length) {
            throw new GpuException(GpuStatus.PROTOCOL, "the workload reports an unknown state: " + value);
        }
        return values()[value];
    }
}
