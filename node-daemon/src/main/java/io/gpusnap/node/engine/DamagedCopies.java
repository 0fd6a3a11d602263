package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import java.util.List;
import java.util.UUID;

/** Copies of a snapshot that were found wrong on the way of an operation. */
public record DamagedCopies(SnapshotId snapshot, List<Copy> copies) {

    /** @param storeId where it is */
    public record Copy(UUID storeId, String detail) {}

    public DamagedCopies {
        copies = List.copyOf(copies);
    }
}
