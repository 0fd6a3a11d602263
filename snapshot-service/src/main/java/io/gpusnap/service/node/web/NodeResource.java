package io.gpusnap.service.node.web;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.platform.id.NodeId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.UUID;

/** A GPU node. */
@Schema(name = "Node")
record NodeResource(
        NodeId id,
        String name,
        UUID instanceId,
        String agentVersion,
        long epoch,
        boolean schedulable,
        NodeState state,
        Inventory inventory,
        Instant registeredAt,
        Instant lastHeartbeatAt) {

    static NodeResource of(Node node) {
        return new NodeResource(
                node.id(),
                node.name(),
                node.instanceId(),
                node.agentVersion(),
                node.epoch(),
                node.schedulable(),
                node.state(),
                node.inventory(),
                node.registeredAt(),
                node.lastHeartbeatAt());
    }
}
