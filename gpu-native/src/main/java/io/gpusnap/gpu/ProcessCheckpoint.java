package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;
import java.util.Map;

/**
 * The driver's checkpoint of another process:
 * RUNNING, {@link #lock}, LOCKED, {@link #checkpoint}, CHECKPOINTED, {@link #restore}, LOCKED, {@link #unlock}, RUNNING.
 */
public final class ProcessCheckpoint {

    private final NativeLibrary library;
    private final int pid;

    ProcessCheckpoint(NativeLibrary library, int pid) {
        this.library = library;
        this.pid = pid;
    }

    public ProcessState state() throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment state = arena.allocate(JAVA_INT);
            MethodHandle query = library.handle(NativeFunction.PROCESS_QUERY);
            library.check(() -> (int) query.invokeExact(pid, state));
            return ProcessState.of(state.get(JAVA_INT, 0));
        }
    }

    /** Blocks the process's CUDA calls. After a TIMEOUT it is RUNNING as before. */
    public void lock(Duration timeout) throws GpuException {
        int milliseconds = NativeLibrary.milliseconds(timeout);
        MethodHandle lock = library.handle(NativeFunction.PROCESS_LOCK);
        library.check(() -> (int) lock.invokeExact(pid, milliseconds));
    }

    /** Moves what the process still holds of device memory into its host memory, and closes its GPU descriptors. */
    public void checkpoint() throws GpuException {
        MethodHandle checkpoint = library.handle(NativeFunction.PROCESS_CHECKPOINT);
        library.check(() -> (int) checkpoint.invokeExact(pid));
    }

    /**
     * A failure for lack of device memory leaves the process FAILED for good.
     *
     * @param gpuPairs old UUID to new UUID, for every GPU of the process; empty to come back on the same ones
     */
    public void restore(Map<String, String> gpuPairs) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pairs = gpuPairs.isEmpty() ? MemorySegment.NULL : pairs(arena, gpuPairs);
            long count = gpuPairs.size();
            MethodHandle restore = library.handle(NativeFunction.PROCESS_RESTORE);
            library.check(() -> (int) restore.invokeExact(pid, pairs, count));
        }
    }

    /**
     * Of a stopped process: after its next SIGCONT only the thread runs in which the driver restores it.
     *
     * @throws GpuException PERMISSION when it may not be held, also because it has a debugger; UNSUPPORTED when the driver does not
     *     tell that thread
     */
    public StillThreads still() throws GpuException {
        return StillThreads.of(library, pid);
    }

    public void unlock() throws GpuException {
        MethodHandle unlock = library.handle(NativeFunction.PROCESS_UNLOCK);
        library.check(() -> (int) unlock.invokeExact(pid));
    }

    private static MemorySegment pairs(Arena arena, Map<String, String> gpuPairs) {
        MemorySegment array = arena.allocate(Layouts.GPU_PAIR, gpuPairs.size());
        long index = 0;
        for (Map.Entry<String, String> entry : gpuPairs.entrySet()) {
            Struct pair = Struct.element(array, Layouts.GPU_PAIR, index++);
            pair.setText("from_uuid", entry.getKey());
            pair.setText("to_uuid", entry.getValue());
        }
        return array;
    }
}
