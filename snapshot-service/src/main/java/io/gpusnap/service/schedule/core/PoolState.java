package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.Map;

/**
 * A pool at one moment.
 *
 * @param now seconds on a clock that all times here are of
 * @param slots replicas that each node can run at the same time
 * @param memory what the decision before this one returned; empty at first
 */
public record PoolState(
        double now, Map<NodeId, Integer> slots, List<Replica> replicas, List<Goal> goals, Map<String, Memory> memory) {

    /**
     * What has to be remembered of a model from one decision to the next.
     *
     * @param waitingSince when it began to have too few replicas, or last got one since; NaN when it has enough
     * @param surplusSince when it began to have too many; NaN when it has not
     */
    public record Memory(double waitingSince, double surplusSince) {
        public static final Memory NOTHING = new Memory(Double.NaN, Double.NaN);
    }
}
