package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The threads of another process that stand still while the driver restores it in the one that runs. Closing lets them go. When this
 * process ends before that, the other one is killed.
 */
public final class StillThreads implements AutoCloseable {

    private final NativeLibrary library;
    private final MemorySegment handle;
    private final AtomicBoolean closed = new AtomicBoolean();

    private StillThreads(NativeLibrary library, MemorySegment handle) {
        this.library = library;
        this.handle = handle;
    }

    static StillThreads of(NativeLibrary library, int pid) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(ADDRESS);
            MethodHandle still = library.handle(NativeFunction.PROCESS_STILL);
            library.check(() -> (int) still.invokeExact(pid, out));
            return new StillThreads(library, out.get(ADDRESS, 0));
        }
    }

    @Override
    public void close() {
        if (!closed.compareAndSet(false, true)) {
            return;
        }
        MethodHandle end = library.handle(NativeFunction.STILL_END);
        NativeLibrary.value(() -> {
            end.invokeExact(handle);
            return true;
        });
    }
}
