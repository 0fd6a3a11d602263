package io.gpusnap.gpu;

/**
 * Device memory that need not be saved: the application can rebuild its content, or has freed it. Ranges may overlap.
 *
 * @param allocationId the allocation that holds all of it
 * @param offsetBytes in that allocation
 * @param address in the workload, as the application declared it; for people, since an allocation may be mapped anyhow
 * @param tag what the application calls it, 1 to 31 characters; or {@link #FREED}
 */
public record RebuildableRange(long allocationId, long offsetBytes, long sizeBytes, long address, String tag) {

    /**
     * The tag of what the application has freed and the preload keeps, between memory in use, for its next allocation. No
     * application can declare it.
     */
    public static final String FREED = "freed memory";

    static RebuildableRange from(Struct struct) {
        return new RebuildableRange(
                struct.getLong("allocation_id"),
                struct.getLong("offset_bytes"),
                struct.getLong("size_bytes"),
                struct.getLong("address"),
                struct.getText("tag"));
    }
}
