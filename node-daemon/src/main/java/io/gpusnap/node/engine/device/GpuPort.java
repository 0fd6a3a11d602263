package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.DeviceSpan;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.FileItem;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.gpu.ProcessState;
import io.gpusnap.gpu.StillThreads;
import io.gpusnap.gpu.StorageInfo;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The GPUs of this node and the driver's checkpoint verbs, as the engines use them. A boundary of its own so that tests can
 * make any single verb fail; {@link NativeGpu} is libgpusnap behind it. Thread-safe.
 */
public interface GpuPort {

    DriverInfo driver() throws GpuException;

    /** Free memory is of this moment. */
    List<GpuInfo> devices() throws GpuException;

    ProcessState state(int pid) throws GpuException;

    void lock(int pid, Duration timeout) throws GpuException;

    void checkpoint(int pid) throws GpuException;

    /** @param uuidPairs from and to, of every GPU that the process can open, used or not; empty when they are the same */
    void restore(int pid, Map<String, String> uuidPairs) throws GpuException;

    /**
     * Of a stopped process: after its next SIGCONT only the thread runs in which the driver restores it, until the others are let go.
     *
     * @throws GpuException PERMISSION, UNSUPPORTED among others; nothing is held then
     */
    StillThreads still(int pid) throws GpuException;

    void unlock(int pid) throws GpuException;

    /**
     * Writes to the memory of a process, whether it runs or not.
     *
     * @throws GpuException PEER_GONE when there is no such process, PERMISSION, IO when not all of it is writable memory
     */
    void writeProcess(int pid, long address, MemorySegment from) throws GpuException;

    /** Connects to the preload of a process. */
    TargetPort open(int pid, Duration timeout) throws GpuException;

    /** Finds room for memory of one process that is not there yet; {@link Ahead} makes it. */
    AheadMemory ahead(List<Allocation> allocations) throws GpuException;

    /** Returns when all items are copied. */
    void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException;

    /** Copies to the device; the digests are of what the device then holds, item by item. */
    List<DeviceDigest> copyAndDigest(int gpuOrdinal, List<CopyItem> items) throws GpuException;

    /** Of device memory as it is, computed on the GPU, span by span. */
    List<DeviceDigest> digest(int gpuOrdinal, List<DeviceSpan> spans) throws GpuException;

    /**
     * Whether files can be read to the device; starts what that takes.
     *
     * @param compatibility also where their bytes pass through host memory
     * @param cufile empty: by its soname
     * @param folder on the file system of those files; one is tried there, and gone afterwards
     */
    StorageInfo storage(boolean compatibility, Optional<Path> cufile, Path folder) throws GpuException;

    /** Reads files to the device; the digests are of what the device then holds, item by item. */
    List<DeviceDigest> readAndDigest(int gpuOrdinal, List<FileItem> items) throws GpuException;

    void fillZero(int gpuOrdinal, long deviceAddress, long sizeBytes) throws GpuException;
}
