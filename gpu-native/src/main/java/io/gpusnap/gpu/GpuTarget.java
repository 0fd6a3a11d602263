package io.gpusnap.gpu;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;

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

    /**
     * RUNNING to QUIESCED: lets the application's callbacks run, closes the gate and waits until the device is idle, all of it
     * within the timeout. On failure the gate is open again.
     *
     * @throws GpuException REFUSED when a callback refuses
     */
    public void quiesce(Duration timeout) throws GpuException {
        int milliseconds = NativeLibrary.milliseconds(timeout);
        MethodHandle quiesce = library.handle(NativeFunction.TARGET_QUIESCE);
        library.check(() -> (int) quiesce.invokeExact(open(), milliseconds));
    }

    /** Every physical allocation that the preload manages. */
    public List<Allocation> allocations() throws GpuException {
        return list(NativeFunction.TARGET_ALLOCATIONS, Layouts.ALLOCATION, Allocation::from);
    }

    /**
     * What the application says it can rebuild; nothing from a preload that is older than hints. Does not change from QUIESCED
     * until RUNNING.
     */
    public List<RebuildableRange> hints() throws GpuException {
        return list(NativeFunction.TARGET_HINTS, Layouts.HINT, RebuildableRange::from);
    }

    /** Ordinals of the GPUs on which the workload has a context; none from a preload that does not tell. */
    public List<Integer> gpus() throws GpuException {
        return list(NativeFunction.TARGET_GPUS, Layouts.TARGET_GPU, entry -> entry.getInt("ordinal"));
    }

    /** As many as most workloads have allocations: asking again for more costs the workload milliseconds of its pause. */
    private static final long FIRST_CAPACITY = 1024;

    /** Asks again until there is room for all, and none has been added meanwhile. */
    private <T> List<T> list(NativeFunction function, StructLayout layout, Function<Struct, T> from)
            throws GpuException {
        long capacity = FIRST_CAPACITY;
        for (; ; ) {
            List<T> found = new ArrayList<>();
            long count = read(function, layout, capacity, entry -> found.add(from.apply(entry)));
            if (count <= capacity) {
                return List.copyOf(found);
            }
            capacity = count;
        }
    }

    private long read(NativeFunction function, StructLayout layout, long capacity, Consumer<Struct> found)
            throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate(layout, capacity);
            MemorySegment count = arena.allocate(JAVA_LONG);
            MethodHandle list = library.handle(function);
            library.check(() -> (int) list.invokeExact(open(), array, capacity, count));
            long all = count.get(JAVA_LONG, 0);
            for (long i = 0; i < Math.min(all, capacity); i++) {
                found.accept(Struct.element(array, layout, i));
            }
            return all;
        }
    }

    /**
     * Maps the workload's memory in this process too, QUIESCED or REMAPPED. The first call only finds room for it: from then on
     * allocations have local addresses. Each further one maps the next few, in the order of {@link #allocations}; what is there may
     * be used meanwhile. A call that fails undoes all of it.
     *
     * @return how many allocations are still to come
     */
    public long importNext() throws GpuException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment left = arena.allocate(JAVA_LONG);
            MethodHandle importNext = library.handle(NativeFunction.TARGET_IMPORT);
            library.check(() -> (int) importNext.invokeExact(open(), left));
            return left.get(JAVA_LONG, 0);
        }
    }

    /**
     * What is imported next is held as well, as far as half of the files that this process may open go. To be closed when it was
     * given back, or nobody waits for it.
     */
    public HeldMemory hold() throws GpuException {
        HeldMemory held = HeldMemory.open(library);
        try {
            MethodHandle hold = library.handle(NativeFunction.TARGET_HOLD);
            library.check(() -> (int) hold.invokeExact(open(), held.handle()));
            return held;
        } catch (GpuException | RuntimeException e) {
            held.close();
            throw e;
        }
    }

    /**
     * RELEASED: {@link #remap} maps what is held as it is, and fresh memory for the rest, as {@link Allocation#held} tells. Nothing
     * is held afterwards, also after a failure.
     *
     * @throws GpuException INVALID when it is another workload's
     */
    public void giveBack(HeldMemory held) throws GpuException {
        MethodHandle giveBack = library.handle(NativeFunction.TARGET_GIVE_BACK);
        library.check(() -> (int) giveBack.invokeExact(open(), held.handle()));
    }

    /**
     * RELEASED, once all of it is made: {@link #remap} maps it where the workload can take it, as {@link Allocation#held} tells, and
     * fresh memory for the rest. It may still be filled until it is closed. A second time gives nothing.
     *
     * @throws GpuException INVALID when it was made for another workload, STATE when not all of it is made
     */
    public void giveAhead(AheadMemory ahead) throws GpuException {
        MethodHandle giveAhead = library.handle(NativeFunction.TARGET_GIVE_AHEAD);
        library.check(() -> (int) giveAhead.invokeExact(open(), ahead.handle()));
    }

    public void unimport() throws GpuException {
        verb(NativeFunction.TARGET_UNIMPORT);
    }

    /** QUIESCED or REMAPPED to RELEASED: the workload gives its device memory back and keeps the addresses. */
    public void release() throws GpuException {
        verb(NativeFunction.TARGET_RELEASE);
    }

    /** RELEASED to REMAPPED: device memory at the same addresses, fresh unless it was given back. */
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
        NativeLibrary.value(() -> {
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
