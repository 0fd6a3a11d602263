package io.gpusnap.node.client;

import java.util.List;
import java.util.UUID;

public record Heartbeat(Inventory inventory, List<Workload> workloads, List<Held> runningOperations) {

    /** An operation that this daemon believes to be its own. */
    public record Held(UUID operationId, long epoch) {}
}
