package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;

/**
 * Page-locked memory over a tmpfs file, so that its content outlives this process. Cut into slots of {@link #SLOT_BYTES}.
 * Thread-safe but for {@link #close}.
 */
public final class PinnedPool implements AutoCloseable {

    public static final long SLOT_BYTES = 4L << 20;

    private final NativeLibrary library;
    private final MemorySegment handle;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final boolean pinned;

    private PinnedPool(NativeLibrary library, MemorySegment handle) {
        this.library = library;
        this.handle = handle;
        MethodHandle base = library.handle(NativeFunction.POOL_BASE);
        MethodHandle size = library.handle(NativeFunction.POOL_SIZE_BYTES);
        MethodHandle isPinned = library.handle(NativeFunction.POOL_PINNED);
        long sizeBytes = NativeLibrary.value(() -> (long) size.invokeExact(handle));
        this.memory = NativeLibrary.value(() -> (MemorySegment) base.invokeExact(handle))
                .reinterpret(sizeBytes, arena, null);
        this.pinned = NativeLibrary.value(() -> (int) isPinned.invokeExact(handle)) != 0;
    }

    static PinnedPool open(NativeLibrary library, Path path, long sizeBytes) throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            Struct args = Struct.allocate(arena, Layouts.POOL_ARGS);
            args.setAddress("path", arena.allocateFrom(path.toString()));
            args.setLong("size_bytes", sizeBytes);
            MemorySegment out = arena.allocate(ADDRESS);
            MethodHandle open = library.handle(NativeFunction.POOL_OPEN);
            library.check(() -> (int) open.invokeExact(args.segment(), out));
            return new PinnedPool(library, out.get(ADDRESS, 0));
        }
    }

    /** False where no driver could page-lock it: copies work, but slower. */
    public boolean pinned() {
        return pinned;
    }

    public long sizeBytes() {
        return memory.byteSize();
    }

    public int slots() {
        return Math.toIntExact(memory.byteSize() / SLOT_BYTES);
    }

    /**
     * The memory of one slot; no longer accessible once the pool is closed.
     *
     * @throws IndexOutOfBoundsException for a slot that there is not
     */
    public MemorySegment slot(int index) {
        return memory.asSlice(index * SLOT_BYTES, SLOT_BYTES);
    }

    /** All of it. */
    public MemorySegment memory() {
        return memory;
    }

    MemorySegment handle() {
        return handle;
    }

    /** Unlocks and unmaps; the file stays. No copy may be under way. */
    @Override
    public void close() {
        if (!arena.scope().isAlive()) {
            return;
        }
        arena.close();
        MethodHandle close = library.handle(NativeFunction.POOL_CLOSE);
        NativeLibrary.value(() -> {
            close.invokeExact(handle);
            return true;
        });
    }
}
