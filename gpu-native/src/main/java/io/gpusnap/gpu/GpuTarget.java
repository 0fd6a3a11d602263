package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A connection to a workload that runs with the preload. For one thread at a time.
 *
 * <p>While the workload is RUNNING or QUIESCED, losing the connection opens its gate: a daemon's crash never hangs it.
 */
public final class GpuTarget implements AutoCloseable {

    private final NativeLibrary library;
    private final MemorySegment handle;
    private boolean closed;

    private GpuTarget(NativeLibrary library, MemorySegment handle) {
        this.library = library;
        this.handle = handle;
    }

    static GpuTarget open(NativeLibrary library, int pid, Optional<Path> socket, Duration timeout) throws GpuException {
        int milliseconds = NativeLibrary.milliseconds(timeout);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment path =
                    socket.map(at -> arena.allocateFrom(at.toString())).orElse(MemorySegment.NULL);
            MemorySegment out = arena.allocate(ADDRESS);
            MethodHandle open = library.handle(NativeFunction.TARGET_OPEN);
            library.check(() -> (int) open.invokeExact(pid, path, milliseconds, out));
            return new GpuTarget(library, out.get(ADDRESS, 0));
        }
    }

    public TargetStatus query() throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            Struct status = Struct.allocate(arena, Layouts.TARGET_STATUS);
            MethodHandle query = library.handle(NativeFunction.TARGET_QUERY);
            library.check(() -> (int) query.invokeExact(open(), status.segment()));
            return TargetStatus.from(status);
        }
    }

    /** RUNNING to QUIESCED: closes the gate and waits until the device is idle. On failure the gate is open again. */
    public void quiesce(Duration timeout) throws GpuException {
        int milliseconds = NativeLibrary.milliseconds(timeout);
        MethodHandle quiesce = library.handle(NativeFunction.TARGET_QUIESCE);
        library.check(() -> (int) quiesce.invokeExact(open(), milliseconds));
    }

    /** Every physical allocation that the preload manages. */
    public List<Allocation> allocations() throws GpuException {
        long capacity = 0;
        for (; ; ) {
            List<Allocation> found = new ArrayList<>();
            long count = readAllocations(capacity, found);
            if (count <= capacity) {
                return List.copyOf(found);
            }
            capacity = count;
        }
    }

    private long readAllocations(long capacity, List<Allocation> found) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = capacity == 0 ? MemorySegment.NULL : arena.allocate(Layouts.ALLOCATION, capacity);
            MemorySegment count = arena.allocate(JAVA_LONG);
            MethodHandle allocations = library.handle(NativeFunction.TARGET_ALLOCATIONS);
            library.check(() -> (int) allocations.invokeExact(open(), array, capacity, count));
            long all = count.get(JAVA_LONG, 0);
            for (long i = 0; i < Math.min(all, capacity); i++) {
                found.add(Allocation.from(Struct.element(array, Layouts.ALLOCATION, i)));
            }
            return all;
        }
    }

    /** Maps the workload's memory in this process too, QUIESCED or REMAPPED; then allocations have local addresses. */
    public void importAll() throws GpuException {
        verb(NativeFunction.TARGET_IMPORT);
    }

    public void unimport() throws GpuException {
        verb(NativeFunction.TARGET_UNIMPORT);
    }

    /** QUIESCED or REMAPPED to RELEASED: the workload gives its device memory back and keeps the addresses. */
    public void release() throws GpuException {
        verb(NativeFunction.TARGET_RELEASE);
    }

    /** RELEASED to REMAPPED: fresh device memory at the same addresses. */
    public void remap() throws GpuException {
        verb(NativeFunction.TARGET_REMAP);
    }

    /** QUIESCED or REMAPPED to RUNNING: opens the gate. */
    public void resume() throws GpuException {
        verb(NativeFunction.TARGET_RESUME);
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        MethodHandle close = library.handle(NativeFunction.TARGET_CLOSE);
        library.value(() -> {
            close.invokeExact(handle);
            return true;
        });
    }

    private void verb(NativeFunction function) throws GpuException {
        MethodHandle verb = library.handle(function);
        library.check(() -> (int) verb.invokeExact(open()));
    }

    private MemorySegment open() {
        if (closed) {
            throw new IllegalStateException("the connection to the workload is closed");
        }
        return handle;
    }
}
