package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.AheadMemory;
import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.HeldMemory;
import io.gpusnap.gpu.RebuildableRange;
import io.gpusnap.gpu.TargetStatus;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/**
 * A connection to the preload of one workload, for one thread at a time. While the target is RUNNING or QUIESCED, losing the
 * connection opens its gate; from RELEASED on it waits for the next one. Closing also lets go of what was imported.
 */
public interface TargetPort extends Arriving, AutoCloseable {

    TargetStatus status() throws GpuException;

    /** RUNNING to QUIESCED. On failure the gate is open again. */
    void quiesce(Duration timeout) throws GpuException;

    /** With local addresses from the first import on, until it is undone. */
    @Override
    List<Allocation> allocations() throws GpuException;

    /** What the application says it can rebuild. Does not change from QUIESCED on. */
    List<RebuildableRange> hints() throws GpuException;

    /** Ordinals of the GPUs on which it has a context, with memory or without; none of a preload that does not tell. */
    Set<Integer> gpus() throws GpuException;

    /** Maps the workload's memory here too. */
    @Override
    long importNext() throws GpuException;

    void unimportMemory() throws GpuException;

    /**
     * What is imported next is held: it stays, content and all, when the workload releases it, as far as there are files to hold
     * it by. The answer outlives this connection.
     */
    List<HeldMemory> hold() throws GpuException;

    /**
     * RELEASED: what is held is mapped as it is by {@link #remap}, and listed as held until the gate is open; the rest is fresh.
     * Nothing is held afterwards, also after a failure.
     *
     * @param held what {@link #hold} of the same workload answered; may be empty
     */
    void giveBack(List<HeldMemory> held) throws GpuException;

    /**
     * RELEASED: what was made ahead is mapped by {@link #remap} where the process can take it, and listed as held until the gate is
     * open; the rest is fresh. It may still be filled meanwhile.
     *
     * @param ahead all of it made; one a process, as {@link Ahead#members} has them
     */
    void giveAhead(List<AheadMemory> ahead) throws GpuException;

    /**
     * QUIESCED or REMAPPED to RELEASED; nothing where it is that already. What was mapped again and could not be filled is given
     * back.
     *
     * @throws GpuException and the state tells: as before, with everything in its place, or RELEASED, where the driver kept memory
     */
    void release() throws GpuException;

    /** RELEASED to REMAPPED. */
    void remap() throws GpuException;

    /** QUIESCED or REMAPPED to RUNNING. */
    void resume() throws GpuException;

    @Override
    void close();
}
