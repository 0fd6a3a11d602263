package io.gpusnap.gpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;

/**
 * The memory of another process, over which the caller has a debugger's rights; also of one that is stopped. Thread-safe.
 * Failures are PEER_GONE when there is no such process, PERMISSION, and IO when the process has no such memory; what was
 * moved before one is undefined.
 */
public final class ProcessMemory {

    private final NativeLibrary library;

    ProcessMemory(NativeLibrary library) {
        this.library = library;
    }

    /** Puts all of {@code from}, which is native memory, to an address of the process. */
    public void write(int pid, long address, MemorySegment from) throws GpuException {
        move(NativeFunction.PROCESS_WRITE, pid, address, from);
    }

    /** Fills {@code to}, which is native memory, from an address of the process. */
    public void read(int pid, long address, MemorySegment to) throws GpuException {
        move(NativeFunction.PROCESS_READ, pid, address, to);
    }

    private void move(NativeFunction direction, int pid, long address, MemorySegment local) throws GpuException {
        if (!local.isNative()) {
            throw new IllegalArgumentException("the kernel needs native memory");
        }
        MethodHandle move = library.handle(direction);
        try {
            long sizeBytes = local.byteSize();
            library.check(() -> (int) move.invokeExact(pid, address, local, sizeBytes));
        } finally {
            Reference.reachabilityFence(local);
        }
    }
}
