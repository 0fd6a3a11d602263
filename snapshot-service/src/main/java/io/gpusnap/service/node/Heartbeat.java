package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;

/** What a node said of itself, already known to be from its current session. */
public record Heartbeat(
        NodeId nodeId, Inventory inventory, List<WorkloadReport> workloads, List<HeldOperation> runningOperations) {}
