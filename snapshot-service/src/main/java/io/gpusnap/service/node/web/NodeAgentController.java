package io.gpusnap.service.node.web;

import io.gpusnap.service.node.Heartbeat;
import io.gpusnap.service.node.NodeAgents;
import io.gpusnap.service.node.NodeSettings;
import io.gpusnap.service.node.PeerKey;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.security.NodeCaller;
import io.gpusnap.service.security.NodeSessionToken;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import java.util.List;
import java.util.Objects;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Daemons announce themselves and report. */
@RestController
@RequestMapping("/node/v1/nodes")
@Tag(name = "Sessions", description = "Registration and heartbeats of daemons")
class NodeAgentController {
    private final NodeAgents agents;
    private final NodeSettings settings;

    NodeAgentController(NodeAgents agents, NodeSettings settings) {
        this.agents = agents;
        this.settings = settings;
    }

    @PostMapping
    @ResponseStatus(HttpStatus.CREATED)
    @Operation(
            operationId = "registerNode",
            summary = "Register a node",
            description =
                    "Takes the access token and answers with a session token for everything else. The same name is "
                            + "the same node; older sessions of it are refused with STALE_SESSION from then on. Repeating a "
                            + "registration is harmless, so it takes no Idempotency-Key.")
    RegisterNodeReply register(@Valid @RequestBody RegisterNodeRequest request) {
        NodeSessionToken session =
                agents.register(request.name(), request.instanceId(), request.agentVersion(), request.inventory());
        return new RegisterNodeReply(
                session.nodeId(),
                session.text(),
                session.epoch(),
                Math.toIntExact(settings.heartbeatInterval().toSeconds()),
                Math.toIntExact(settings.poll().toSeconds()),
                Math.toIntExact(settings.lease().toSeconds()),
                PeerKey.of(session).text());
    }

    @PostMapping("/{nodeId}/heartbeats")
    @Operation(
            operationId = "sendHeartbeat",
            summary = "Report inventory, workloads and running operations",
            description = "Each heartbeat is whole: workloads that are not in it are gone. It renews the leases of the "
                    + "operations that it names under their current epoch.")
    HeartbeatReply heartbeat(
            @PathVariable NodeId nodeId,
            @Valid @RequestBody HeartbeatRequest request,
            @Parameter(hidden = true) NodeCaller caller) {
        caller.mustBe(nodeId);
        NodeAgents.Reply reply = agents.heartbeat(
                caller,
                new Heartbeat(
                        nodeId,
                        request.inventory(),
                        request.workloads(),
                        Objects.requireNonNullElse(request.runningOperations(), List.of())));
        return new HeartbeatReply(
                reply.serverTime(),
                reply.verdict().cancel(),
                reply.verdict().fenced(),
                reply.toEnd().stream()
                        .map(one -> new HeartbeatReply.EndedProcess(one.pid(), one.startTimeTicks()))
                        .toList(),
                reply.coldPods());
    }
}
