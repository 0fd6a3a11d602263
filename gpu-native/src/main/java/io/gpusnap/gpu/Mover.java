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

    /** Returns when all items are copied. Items that continue on both sides are copied as one. */
    public void copy(int gpuOrdinal, Direction direction, List<CopyItem> items) throws GpuException {
        if (items.isEmpty()) {
            return;
        }
        try (Arena arena = Arena.ofConfined()) {
            copy(gpuOrdinal, direction, items, arena, MemorySegment.NULL);
        }
    }

    /**
     * Copies to the device, and says what the device then holds: the digest at {@code i} was computed by the GPU from its own
     * memory where item {@code i} went. Items are as {@link DeviceSpan} allows.
     *
     * @throws GpuException UNSUPPORTED when the driver does not take the kernels, NO_DEVICE_MEMORY when there is no room for
     *     their scratch memory; nothing is copied then
     */
    public List<DeviceDigest> copyAndDigest(int gpuOrdinal, List<CopyItem> items) throws GpuException {
        if (items.isEmpty()) {
            return List.of();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment digests = arena.allocate(Layouts.DIGEST, items.size());
            copy(gpuOrdinal, Direction.HOST_TO_DEVICE, items, arena, digests);
            return DeviceDigest.all(digests, items.size());
        }
    }

    /**
     * What the GPU's memory holds, computed by the GPU itself: the digest at {@code i} is of span {@code i}. Thousands at once
     * are faster than some at a time.
     *
     * @throws GpuException UNSUPPORTED when the driver does not take the kernels, NO_DEVICE_MEMORY when there is no room for
     *     their scratch memory (32 KiB a span, and never more than 64 MiB; half a MiB will do)
     */
    public List<DeviceDigest> digest(int gpuOrdinal, List<DeviceSpan> spans) throws GpuException {
        if (spans.isEmpty()) {
            return List.of();
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(Layouts.SPAN, spans.size());
            long index = 0;
            for (DeviceSpan span : spans) {
                Struct struct = Struct.element(array, Layouts.SPAN, index++);
                struct.setLong("device_address", span.address());
                struct.setLong("size_bytes", span.sizeBytes());
            }
            long count = spans.size();
            MemorySegment digests = arena.allocate(Layouts.DIGEST, count);
            MethodHandle digest = library.handle(NativeFunction.DIGEST_DEVICE);
            library.check(() -> (int) digest.invokeExact(gpuOrdinal, array, count, digests));
            return DeviceDigest.all(digests, count);
        }
    }

    /** Loads the kernels of a GPU, which takes the driver a moment the first time, so that no {@link #digest} has to. */
    public void prepareDigests(int gpuOrdinal) throws GpuException {
        MethodHandle digest = library.handle(NativeFunction.DIGEST_DEVICE);
        library.check(() -> (int) digest.invokeExact(gpuOrdinal, MemorySegment.NULL, 0L, MemorySegment.NULL));
    }

    private void copy(int gpuOrdinal, Direction direction, List<CopyItem> items, Arena arena, MemorySegment digests)
            throws GpuException {
        try {
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
            library.check(() -> (int) copy.invokeExact(gpuOrdinal, direction.ordinal(), array, count, digests));
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
