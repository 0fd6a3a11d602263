package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.transfer.Joining;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Device memory on its way into this process. The driver takes about 0.2 ms an allocation (H100), a tenth of a second where
 * there are hundreds: so the first of them are hashed and copied while others are still being mapped.
 *
 * <p>From {@link #start} until {@link #close} the connection that it comes by is this object's.
 */
public final class Arrival implements AutoCloseable {

    private final Arriving source;
    private final List<Allocation> allocations;
    /** By id, in the order in which they come. */
    private final Map<Long, Integer> places = new HashMap<>();

    private int arrived;
    private boolean closed;
    private @Nullable Throwable failure;
    private @Nullable Thread thread;

    private Arrival(Arriving source, List<Allocation> allocations, Predicate<Allocation> wanted, int arrived) {
        this.source = source;
        this.allocations = allocations.stream()
                .filter(allocation -> allocation.localAddress() != 0)
                .filter(wanted)
                .toList();
        this.arrived = arrived;
        for (Allocation allocation : allocations) {
            places.put(allocation.id(), places.size());
        }
    }

    /** Finds room for all of the memory; none of it is there yet. */
    public static Arrival prepare(Arriving source) throws GpuException {
        return prepare(source, allocation -> true);
    }

    /** @param wanted which of it is {@link #allocations}; the rest is mapped as well */
    public static Arrival prepare(Arriving source, Predicate<Allocation> wanted) throws GpuException {
        int left = Math.toIntExact(source.importNext());
        List<Allocation> allocations = source.allocations();
        return new Arrival(source, allocations, wanted, allocations.size() - left);
    }

    /** With the addresses where they will be. Of several processes, those of one that runs by now do not come. */
    public List<Allocation> allocations() {
        return allocations;
    }

    /** Begins; once. */
    public Arrival start() {
        thread = Thread.ofPlatform().daemon().name("import").start(this::run);
        return this;
    }

    private void run() {
        try {
            while (hasMore()) {
                cameTo(places.size() - Math.toIntExact(source.importNext()));
            }
        } catch (Throwable e) {
            failed(e);
        }
    }

    private synchronized boolean hasMore() {
        return !closed && arrived < places.size();
    }

    private synchronized void cameTo(int number) {
        arrived = number;
        notifyAll();
    }

    private synchronized void failed(Throwable why) {
        failure = why;
        notifyAll();
    }

    /** Of an allocation in the order in which they come, counted from 0. */
    int place(Allocation allocation) {
        return Objects.requireNonNull(places.get(allocation.id()));
    }

    /** Returns when the allocation, and with it all before, is there. */
    void await(Allocation allocation) throws GpuException, InterruptedException {
        await(place(allocation) + 1);
    }

    /** Returns when all of them are there. */
    public void await() throws GpuException, InterruptedException {
        await(places.size());
    }

    private synchronized void await(int wanted) throws GpuException, InterruptedException {
        while (arrived < wanted) {
            switch (failure) {
                case null -> wait();
                case GpuException e -> throw e;
                case RuntimeException e -> throw e;
                case Error e -> throw e;
                default -> throw new IllegalStateException("the import ended", failure);
            }
        }
    }

    /** What has not come yet does not come any more; the rest stays mapped. */
    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        Thread running = thread;
        if (running != null) {
            Joining.all(List.of(running));
        }
    }
}
