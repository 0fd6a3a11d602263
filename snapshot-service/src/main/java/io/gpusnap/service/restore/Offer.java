package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.snapshot.Needs;
import java.util.List;
import java.util.Optional;

/**
 * A READY snapshot as a decision looks at it.
 *
 * @param classKey empty where the manifest did not say
 * @param takenOn where it was taken; a suspended process is there
 * @param age 0 for the newest of its class, then 1, …
 */
record Offer(
        SnapshotId id,
        Engine engine,
        String classKey,
        Optional<Needs> needs,
        long logicalBytes,
        NodeId takenOn,
        int age) {

    /** Whether the process ran in a container, as far as its manifest says. */
    boolean isOfContainer() {
        return needs.map(Needs::container).orElse(false);
    }

    /** Device memory that it needs on each of its GPUs; empty where its manifest does not say. */
    List<Long> gpuBytes() {
        return needs.map(Needs::gpuBytes).orElse(List.of());
    }
}
