package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;
import java.util.UUID;

/** What a node said of itself, already known to be from its current session. */
public record Heartbeat(
        NodeId nodeId, Inventory inventory, List<WorkloadReport> workloads, List<HeldOperation> runningOperations) {

    /** Of those operations. */
    public UUID[] runningIds() {
        return runningOperations.stream()
                .map(held -> held.operationId().value())
                .toArray(UUID[]::new);
    }
}
