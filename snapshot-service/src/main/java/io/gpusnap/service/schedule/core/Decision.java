package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is to be done now, in this order, and what to remember until the next time.
 *
 * @param waiting why models that have too few replicas get none now
 */
public record Decision(List<Action> actions, List<Waiting> waiting, Map<String, PoolState.Memory> memory) {

    /** One thing to do. */
    public sealed interface Action {
        String model();

        NodeId node();

        String reason();
    }

    /** Wake a suspended replica; {@code instead} leaves its slot for it. */
    public record Resume(Replica replica, Optional<Replica> instead, String reason) implements Action {
        @Override
        public String model() {
            return replica.model();
        }

        @Override
        public NodeId node() {
            return replica.node();
        }
    }

    /** Start a replica from a snapshot; {@code instead} leaves its slot for it. */
    public record Thaw(String model, NodeId node, Optional<Replica> instead, String reason) implements Action {}

    /** Freeze a replica that nobody wants. */
    public record Suspend(Replica replica, String reason) implements Action {
        @Override
        public String model() {
            return replica.model();
        }

        @Override
        public NodeId node() {
            return replica.node();
        }
    }

    /** A model that has to wait. */
    public record Waiting(String model, int missing, double sinceSeconds, String reason) {}
}
