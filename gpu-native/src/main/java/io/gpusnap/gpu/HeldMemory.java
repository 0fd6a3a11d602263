package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Physical memory of a workload that stays, content and all, while the workload releases it and gets it back. Outlives the
 * connection that it came by. What is in it when it is closed is freed, unless somebody else has it too. For one thread at a time.
 */
public final class HeldMemory implements AutoCloseable {

    private final NativeLibrary library;
    private final MemorySegment handle;
    private boolean closed;

    private HeldMemory(NativeLibrary library, MemorySegment handle) {
        this.library = library;
        this.handle = handle;
    }

    static HeldMemory open(NativeLibrary library) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            MethodHandle open = library.handle(NativeFunction.HOLD_OPEN);
            library.check(() -> (int) open.invokeExact(out));
            return new HeldMemory(library, out.get(ADDRESS, 0));
        }
    }

    MemorySegment handle() {
        if (closed) {
            throw new IllegalStateException("the memory is no longer held");
        }
        return handle;
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        MethodHandle close = library.handle(NativeFunction.HOLD_CLOSE);
        NativeLibrary.value(() -> {
            close.invokeExact(handle);
            return true;
        });
    }
}
