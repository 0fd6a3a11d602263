package io.gpusnap.node.engine.device;

import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The GPUs of this node and the driver's checkpoint verbs, as the engines use them. A boundary of its own, so that engine
 * tests can make any single verb fail; {@link NativeGpu} is libgpusnap behind it.
 */
public interface Gpu {

    /** @param build as the kernel module names it, "580.159.04" */
    record Driver(int cudaVersion, String build, boolean simulated, boolean hasCheckpoint, boolean hasGpuRemap) {}

    record Device(
            int ordinal,
            String uuid,
            String name,
            long memoryBytes,
            long freeBytes,
            String computeCapability,
            boolean mig,
            boolean exportsMemory) {}

    /** A process as the driver's checkpoint sees it. */
    enum ProcessState {
        RUNNING,
        LOCKED,
        CHECKPOINTED,
        FAILED
    }

    enum Direction {
        DEVICE_TO_HOST,
        HOST_TO_DEVICE
    }

    /** @param host in the pinned pool for full speed */
    record CopyItem(long deviceAddress, MemorySegment host) {}

    Driver driver() throws GpuException;

    /** Free memory is of this moment. */
    List<Device> devices() throws GpuException;

    ProcessState state(int pid) throws GpuException;

    void lock(int pid, Duration timeout) throws GpuException;

    void checkpoint(int pid) throws GpuException;

    /** @param uuidPairs from and to, of every GPU the process used; empty when they are the same */
    void restore(int pid, Map<String, String> uuidPairs) throws GpuException;

    void unlock(int pid) throws GpuException;

    /** Connects to the preload of a process. */
    GpuTarget open(int pid, Duration timeout) throws GpuException;

    /** Returns when all items are copied. May be called from several threads. */
    void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException;

    void fillZero(int gpuOrdinal, long deviceAddress, long sizeBytes) throws GpuException;
}
