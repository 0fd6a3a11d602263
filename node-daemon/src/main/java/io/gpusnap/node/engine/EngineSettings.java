package io.gpusnap.node.engine;

import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.tier.Quarantine;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * What the engines need to know of this node. The paths are absolute.
 *
 * @param stateDir the daemon's own durable state
 * @param nvmeReserveBytes free space of the NVMe tier's file system that saves leave alone
 * @param nvmeSweepPeriod between two looks for chunks there that nothing names; what two in a row found so is deleted
 * @param quarantine how much of what was found damaged there is kept
 * @param poolPath a file on tmpfs; its directory is created
 * @param poolBytes multiple of 4 MiB, at least 16 MiB
 * @param scratchDir where CRIU's images live during an operation; tmpfs for speed
 * @param scratchHugePages a tmpfs with huge pages is mounted there
 * @param criu CRIU's program; empty: looked for in PATH
 * @param nativeDir folder of libgpusnap.so and libgpusnap-preload.so
 * @param cudaDriver path of libcuda; empty: by its soname
 * @param threads of each transfer pipeline
 * @param rebuildable which memory that an application declares rebuildable is left out of saves
 * @param storage whether chunks are read straight into device memory
 * @param shared stores that other nodes have as well
 * @param ahead what a thaw does before what it is for is there
 * @param driverCallLimit how long the driver may take for one call on a process, before the process is ended
 */
public record EngineSettings(
        Path stateDir,
        Path nvmeRoot,
        long nvmeReserveBytes,
        Duration nvmeSweepPeriod,
        Quarantine.Limits quarantine,
        Path poolPath,
        long poolBytes,
        Path scratchDir,
        boolean scratchHugePages,
        Optional<Path> criu,
        Path nativeDir,
        Optional<Path> cudaDriver,
        int threads,
        RebuildablePolicy rebuildable,
        StoragePolicy storage,
        SharedTiers shared,
        AheadPolicy ahead,
        Duration driverCallLimit) {

    /** Device memory that the preload cannot let go passes through the driver, at 1 GB/s or more. */
    public static final Duration DRIVER_CALL_LIMIT = Duration.ofMinutes(5);

    /** A store of ten terabytes is listed in seconds; a copy that failed is tried again within minutes. */
    public static final Duration NVME_SWEEP_PERIOD = Duration.ofMinutes(15);

    /** A node that shares nothing and mounts nothing. */
    public EngineSettings(
            Path stateDir,
            Path nvmeRoot,
            long nvmeReserveBytes,
            Path poolPath,
            long poolBytes,
            Path scratchDir,
            Optional<Path> criu,
            Path nativeDir,
            Optional<Path> cudaDriver,
            int threads,
            RebuildablePolicy rebuildable,
            StoragePolicy storage) {
        this(
                stateDir,
                nvmeRoot,
                nvmeReserveBytes,
                NVME_SWEEP_PERIOD,
                Quarantine.Limits.DEFAULT,
                poolPath,
                poolBytes,
                scratchDir,
                false,
                criu,
                nativeDir,
                cudaDriver,
                threads,
                rebuildable,
                storage,
                SharedTiers.none(),
                AheadPolicy.DEFAULT,
                DRIVER_CALL_LIMIT);
    }

    public static final long SLOT_BYTES = 4L << 20;

    public EngineSettings {
        if (nvmeReserveBytes < 0) {
            throw new IllegalArgumentException("nvme.reserveBytes must not be negative, is " + nvmeReserveBytes);
        }
        if (poolBytes < 4 * SLOT_BYTES || poolBytes % SLOT_BYTES != 0) {
            throw new IllegalArgumentException(
                    "memory.poolBytes must be a multiple of 4 MiB and at least 16 MiB, is " + poolBytes);
        }
        if (threads < 1) {
            throw new IllegalArgumentException("threads must be at least 1, is " + threads);
        }
    }
}
