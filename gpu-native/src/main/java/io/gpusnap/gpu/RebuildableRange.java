package io.gpusnap.gpu;

/**
 * Device memory whose content the application can rebuild, so that it need not be saved. Ranges may overlap.
 *
 * @param allocationId the allocation that holds all of it
 * @param offsetBytes in that allocation
 * @param address in the workload, as the application declared it; for people, since an allocation may be mapped anyhow
 * @param tag what the application calls it: 1 to 31 characters
 */
public record RebuildableRange(long allocationId, long offsetBytes, long sizeBytes, long address, String tag) {

    static RebuildableRange from(Struct struct) {
        return new RebuildableRange(
                struct.getLong("allocation_id"),
                struct.getLong("offset_bytes"),
                struct.getLong("size_bytes"),
                struct.getLong("address"),
                struct.getText("tag"));
    }
}
