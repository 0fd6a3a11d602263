package io.gpusnap.node.engine.device;

import java.time.Duration;
import java.util.List;

/**
 * A connection to the preload of one workload, for one thread at a time. While the target is RUNNING or QUIESCED, losing the
 * connection opens its gate; from RELEASED on it waits for the next one.
 */
public interface GpuTarget extends AutoCloseable {

    enum State {
        RUNNING,
        QUIESCED,
        RELEASED,
        REMAPPED
    }

    /** Why the preload would refuse a freeze. */
    enum Refusal {
        MANAGED_MEMORY,
        MIG,
        LEGACY_IPC,
        MULTICAST,
        MPS
    }

    record Status(State state, List<Refusal> refusals, long allocations, long managedBytes, long driverBytes) {}

    /** @param localAddress address in this process while imported, else 0 */
    record Allocation(long id, long address, long sizeBytes, long localAddress, int gpuOrdinal) {}

    Status status() throws GpuException;

    /** RUNNING to QUIESCED. On failure the gate is open again. */
    void quiesce(Duration timeout) throws GpuException;

    List<Allocation> allocations() throws GpuException;

    void importMemory() throws GpuException;

    void unimportMemory() throws GpuException;

    /** QUIESCED to RELEASED. */
    void release() throws GpuException;

    /** RELEASED to REMAPPED. */
    void remap() throws GpuException;

    /** QUIESCED or REMAPPED to RUNNING. */
    void resume() throws GpuException;

    @Override
    void close();
}
