package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;

/**
 * A process of a model on a node of the pool.
 *
 * @param since when it came into this state, in seconds
 */
public record Replica(WorkloadId id, String model, NodeId node, State state, double since) {

    /** What it takes up. */
    public enum State {
        /** Serves, on a slot. */
        RUNNING,
        /** On its way to serving: holds a slot, counts as there, is left alone. */
        STARTING,
        /** On its way off its slot: still holds it, does not count. */
        LEAVING,
        /** Not the scheduler's to move: holds a slot, counts as there. */
        FIXED,
        /** Frozen on its node, without a slot. */
        SUSPENDED;

        boolean holdsSlot() {
            return this != SUSPENDED;
        }

        public boolean counts() {
            return this == RUNNING || this == STARTING || this == FIXED;
        }
    }
}
