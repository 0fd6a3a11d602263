package io.gpusnap.service.operation.web;

import io.gpusnap.service.node.NodeSettings;
import io.gpusnap.service.operation.OperationAgents;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.Task;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.security.NodeCaller;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Daemons ask for work. */
@RestController
@Tag(name = "Work", description = "Claims, progress and completion of operations")
class ClaimController {
    private final OperationAgents agents;
    private final NodeSettings settings;

    ClaimController(OperationAgents agents, NodeSettings settings) {
        this.agents = agents;
        this.settings = settings;
    }

    @PostMapping("/node/v1/nodes/{nodeId}/claims")
    @Operation(
            operationId = "claimOperation",
            summary = "Take the next operation, waiting for one",
            description = "Held open up to waitSeconds (0 to the registration's pollSeconds). The operation is the "
                    + "daemon's until leaseUntil; progress and heartbeats renew the lease.")
    @ApiResponse(responseCode = "200", description = "An operation, now RUNNING")
    @ApiResponse(responseCode = "204", description = "No work in that time")
    ResponseEntity<Task> claim(
            @PathVariable NodeId nodeId,
            @RequestParam(defaultValue = "0") int waitSeconds,
            @Parameter(
                            description =
                                    "Kinds that the daemon has room for; absent: every kind. So one whose moves between "
                                            + "tiers are as many as it likes still takes a thaw")
                    @RequestParam(required = false)
                    @Nullable
                    Set<OperationKind> kinds,
            @Parameter(hidden = true) NodeCaller caller)
            throws InterruptedException {
        caller.mustBe(nodeId);
        long most = settings.poll().toSeconds();
        if (waitSeconds < 0 || waitSeconds > most) {
            String detail = "must be from 0 to " + most;
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST,
                    "waitSeconds " + detail + ".",
                    List.of(new Violation("waitSeconds", detail)));
        }
        return agents.claim(
                        caller,
                        Duration.ofSeconds(waitSeconds),
                        kinds == null || kinds.isEmpty() ? EnumSet.allOf(OperationKind.class) : kinds)
                .map(ResponseEntity::ok)
                .orElseGet(() -> ResponseEntity.noContent().build());
    }
}
