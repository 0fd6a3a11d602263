package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A pool at one moment.
 *
 * @param now seconds on a clock that all times here are of
 * @param slots replicas that each node can run at the same time
 * @param memory what the decision before this one returned; empty at first
 * @param able nodes on which a new replica of a model can be started; a model that is missing can be started on all
 */
public record PoolState(
        double now,
        Map<NodeId, Integer> slots,
        List<Replica> replicas,
        List<Goal> goals,
        Map<String, Memory> memory,
        Map<String, Set<NodeId>> able) {

    /** Of a pool in which every model can be started anywhere. */
    public PoolState(
            double now,
            Map<NodeId, Integer> slots,
            List<Replica> replicas,
            List<Goal> goals,
            Map<String, Memory> memory) {
        this(now, slots, replicas, goals, memory, Map.of());
    }

    /** Whether a new replica of the model can be started there. */
    boolean isAble(String model, NodeId node) {
        Set<NodeId> nodes = able.get(model);
        return nodes == null || nodes.contains(node);
    }

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
