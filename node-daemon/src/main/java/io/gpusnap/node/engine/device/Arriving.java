package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import java.util.List;

/** Device memory that is mapped in this process a few allocations at a time; {@link Arrival} makes the calls. */
public interface Arriving {

    /** With local addresses from the first call of {@link #importNext} on. */
    List<Allocation> allocations() throws GpuException;

    /**
     * The first call only finds room for the memory: from then on allocations have local addresses. Each further one maps the next
     * few, in the order of {@link #allocations}; what is there may be used meanwhile, by any thread. A call that fails undoes all of
     * it.
     *
     * @return how many of the last allocations are still to come
     */
    long importNext() throws GpuException;
}
