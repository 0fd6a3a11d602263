package io.gpusnap.gpu;

/**
 * One physical allocation of a workload.
 *
 * @param id stable over save and thaw
 * @param address first virtual address in the workload
 * @param localAddress address in this process while imported, else 0
 * @param gpuOrdinal as this process numbers GPUs
 * @param held mapped again as it was given: with the content that it had before it was released, or that was filled in ahead
 */
public record Allocation(long id, long address, long sizeBytes, long localAddress, int gpuOrdinal, boolean held) {

    private static final int HELD = 1;

    /** The same under another id. */
    public Allocation withId(long other) {
        return new Allocation(other, address, sizeBytes, localAddress, gpuOrdinal, held);
    }

    Allocation at(long local) {
        return new Allocation(id, address, sizeBytes, local, gpuOrdinal, held);
    }

    static Allocation from(Struct struct) {
        return new Allocation(
                struct.getLong("id"),
                struct.getLong("address"),
                struct.getLong("size_bytes"),
                struct.getLong("local_address"),
                struct.getInt("gpu_ordinal"),
                (struct.getInt("flags") & HELD) != 0);
    }
}
