package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.ref.Reference;
import java.util.List;

/** Moves bytes between host and device. Thread-safe: every call works on a stream of its own. */
public final class Mover {

    private final NativeLibrary library;

    Mover(NativeLibrary library) {
        this.library = library;
    }

    /** Returns when all items are copied. */
    public void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException {
        if (items.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(Layouts.COPY_ITEM, items.size());
            long index = 0;
            for (CopyItem item : items) {
                Struct struct = Struct.element(array, Layouts.COPY_ITEM, index++);
                struct.setLong("device_address", item.deviceAddress());
                struct.setAddress("host_address", item.host());
                struct.setLong("size_bytes", item.host().byteSize());
            }
            long count = items.size();
            MethodHandle copy = library.handle(NativeFunction.COPY);
            library.check(() -> (int) copy.invokeExact(gpuOrdinal, direction.ordinal(), array, count));
        } finally {
            Reference.reachabilityFence(items); // only addresses of their memory went to the library
        }
    }

    public void fillZero(int gpuOrdinal, long deviceAddress, long sizeBytes) throws GpuException {
        MethodHandle fill = library.handle(NativeFunction.FILL_ZERO);
        library.check(() -> (int) fill.invokeExact(gpuOrdinal, deviceAddress, sizeBytes));
    }

    /**
     * Plain copy between the pool and a scratch buffer of the device: the floor that benchmarks report against. To the host
     * it overwrites the pool's first {@code sizeBytes}.
     *
     * @return bytes a second, the best of the rounds
     */
    public double measureCopy(int gpuOrdinal, PinnedPool pool, Direction direction, long sizeBytes, int rounds)
            throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment rate = arena.allocate(JAVA_DOUBLE);
            MethodHandle measure = library.handle(NativeFunction.MEASURE_COPY);
            library.check(() ->
                    (int) measure.invokeExact(gpuOrdinal, pool.handle(), direction.ordinal(), sizeBytes, rounds, rate));
            return rate.get(JAVA_DOUBLE, 0);
        }
    }
}
