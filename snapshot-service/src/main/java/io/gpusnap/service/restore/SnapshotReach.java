package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which nodes can get at a snapshot's bytes. */
public interface SnapshotReach {
    /** Of a snapshot that more nodes hold or see, so many of each are looked at. */
    int MOST_NODES = 512;

    /**
     * A node and the nearest place from which it reads the snapshot.
     *
     * @param tier where most of it is
     * @param missingBytes what has to come from elsewhere first
     */
    record Reach(SnapshotId snapshot, NodeId node, Inventory.TierKind tier, long missingBytes) {}

    /**
     * Bounded, however many nodes there are: at most so many for each snapshot, those that are heard and open first.
     * Snapshots that no node can reach are not in it.
     *
     * @param only among these nodes, all of which are looked at; null for any
     */
    List<Reach> of(Collection<SnapshotId> snapshots, @Nullable Collection<NodeId> only, int limit);
}
