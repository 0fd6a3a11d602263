package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;

/**
 * Physical memory for a workload that is not there yet, mapped in this process: it can be filled while the process is made again.
 * For one thread at a time, but what is made may be used meanwhile by others.
 */
public final class AheadMemory implements AutoCloseable {

    private final NativeLibrary library;
    private final MemorySegment handle;
    private final List<Allocation> allocations;
    private boolean closed;

    private AheadMemory(NativeLibrary library, MemorySegment handle, List<Allocation> allocations) {
        this.library = library;
        this.handle = handle;
        this.allocations = allocations;
    }

    static AheadMemory open(NativeLibrary library, List<Allocation> wanted) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment items = arena.allocate(Layouts.AHEAD_ITEM, wanted.size());
            for (int i = 0; i < wanted.size(); i++) {
                Struct item = Struct.element(items, Layouts.AHEAD_ITEM, i);
                item.setLong("id", wanted.get(i).id());
                item.setLong("size_bytes", wanted.get(i).sizeBytes());
                item.setInt("gpu_ordinal", wanted.get(i).gpuOrdinal());
            }
            MemorySegment out = arena.allocate(ADDRESS);
            MethodHandle open = library.handle(NativeFunction.AHEAD_OPEN);
            library.check(() -> (int) open.invokeExact(items, (long) wanted.size(), out));
            List<Allocation> placed = new ArrayList<>();
            for (int i = 0; i < wanted.size(); i++) {
                long local = Struct.element(items, Layouts.AHEAD_ITEM, i).getLong("local_address");
                if (local != 0) {
                    placed.add(wanted.get(i).at(local));
                }
            }
            return new AheadMemory(library, out.get(ADDRESS, 0), List.copyOf(placed));
        }
    }

    /** Those that are made ahead, with their local addresses. */
    public List<Allocation> allocations() {
        return allocations;
    }

    /**
     * Makes the next few of {@link #allocations}, in their order; their content is undefined. A call that fails frees all of them.
     *
     * @return how many are still to come
     * @throws GpuException NO_DEVICE_MEMORY among others; STATE after a call that failed
     */
    public long makeNext() throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = arena.allocate(JAVA_LONG);
            MethodHandle makeNext = library.handle(NativeFunction.AHEAD_MAKE_NEXT);
            library.check(() -> (int) makeNext.invokeExact(handle(), left));
            return left.get(JAVA_LONG, 0);
        }
    }

    MemorySegment handle() {
        if (closed) {
            throw new IllegalStateException("the memory is gone");
        }
        return handle;
    }

    /**
     * Unmaps it here; what the workload has not mapped is freed.
     *
     * @throws GpuException when the driver keeps some of it until this process ends; it is closed then, too
     */
    @Override
    public void close() throws GpuException {
        if (closed) {
            return;
        }
        closed = true;
        MethodHandle close = library.handle(NativeFunction.AHEAD_CLOSE);
        library.check(() -> (int) close.invokeExact(handle));
    }
}
