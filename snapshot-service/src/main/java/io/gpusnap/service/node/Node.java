package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;

/**
 * A GPU node as it was last heard.
 *
 * @param instanceId of the daemon's current run
 * @param epoch number of registrations
 * @param schedulable false when cordoned
 * @param version changes with what callers may change
 */
public record Node(
        NodeId id,
        String name,
        UUID instanceId,
        String agentVersion,
        long epoch,
        boolean schedulable,
        NodeState state,
        Inventory inventory,
        Instant registeredAt,
        Instant lastHeartbeatAt,
        long version) {

    /** Why the node gets no new work of this capability; empty when it does. */
    public Optional<ApiException> whyNot(String capability) {
        if (state != NodeState.ONLINE) {
            return refusal(ErrorCode.NODE_SILENT, "Node " + name + " was last heard at " + lastHeartbeatAt + ".");
        }
        if (!schedulable) {
            return refusal(ErrorCode.NODE_UNSCHEDULABLE, "Node " + name + " is cordoned.");
        }
        return inventory
                .whyMissing(capability)
                .flatMap(reason -> refusal(
                        ErrorCode.CAPABILITY_MISSING,
                        "Node " + name + " cannot do " + capability + ": " + reason + "."));
    }

    private static Optional<ApiException> refusal(ErrorCode code, String detail) {
        return Optional.of(new ApiException(code, detail));
    }
}
