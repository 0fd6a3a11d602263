package io.gpusnap.gpu;

/**
 * The CUDA driver of this machine.
 *
 * @param cudaVersion as {@code cuDriverGetVersion} gives it: 13000 for 13.0
 * @param build of the kernel module, such as "580.159.04"; "simulated-1" for the simulated driver
 * @param hasCheckpoint other processes can be checkpointed
 * @param hasGpuRemap a restore may name other GPUs
 * @param hasCustomStorage a checkpoint may hand out its memory instead of copying it
 */
public record DriverInfo(
        int cudaVersion,
        String build,
        int gpuCount,
        boolean simulated,
        boolean hasCheckpoint,
        boolean hasGpuRemap,
        boolean hasCustomStorage) {

    static DriverInfo from(Struct struct) {
        return new DriverInfo(
                struct.getInt("cuda_driver_version"),
                struct.getText("driver_build"),
                struct.getInt("gpu_count"),
                struct.getFlag("simulated"),
                struct.getFlag("has_checkpoint"),
                struct.getFlag("has_gpu_remap"),
                struct.getFlag("has_custom_storage"));
    }
}
