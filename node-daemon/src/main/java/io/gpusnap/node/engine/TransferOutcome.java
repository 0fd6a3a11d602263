package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.pack.SharedObject;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The snapshot is in the tier, durable and proven.
 *
 * @param storedBytes what the tier holds more than before
 * @param objects of a shared store: all that the snapshot needs there; else empty
 * @param copyBytes what the snapshot's chunks take in the tier, those that were there before too; null where nobody asks
 */
public record TransferOutcome(
        SnapshotId snapshot,
        String tier,
        long movedBytes,
        long storedBytes,
        double seconds,
        List<SharedObject> objects,
        @Nullable Long copyBytes) {

    public TransferOutcome {
        objects = List.copyOf(objects);
    }
}
