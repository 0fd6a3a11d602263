package io.gpusnap.service.forecast.prefetch;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * What to move, and what to give up for it. Moves are in the order of their worth.
 *
 * @param worth of every copy that there is, by node and snapshot: how probable it is that a scale-up uses it. Who needs room
 *     takes it from the least; a copy without an entry is worth nothing
 */
public record Plan(List<Move> moves, List<Eviction> evictions, Map<NodeId, Map<SnapshotId, Double>> worth) {

    /**
     * Make a snapshot hot on a node.
     *
     * @param expectedAt when the scale-up that it is for is most probable
     * @param probability of that scale-up
     */
    public record Move(
            String model,
            SnapshotId snapshot,
            NodeId node,
            long bytes,
            Instant expectedAt,
            double probability,
            String reason) {}

    /** Give up a copy. */
    public record Eviction(SnapshotId snapshot, NodeId node, long bytes, String reason) {}
}
