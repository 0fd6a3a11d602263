package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.SharedObject;
import java.util.List;

/**
 * The snapshot is in the tier, durable and proven.
 *
 * @param objects of a shared store: all that the snapshot needs there; else empty
 */
public record TransferOutcome(
        SnapshotId snapshot,
        String tier,
        long movedBytes,
        long storedBytes,
        double seconds,
        List<SharedObject> objects) {

    public TransferOutcome {
        objects = List.copyOf(objects);
    }
}
