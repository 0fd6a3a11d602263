package io.gpusnap.service.node.web;

import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Nodes as callers see them. */
@RestController
@RequestMapping("/api/v1/nodes")
@Tag(name = "Nodes", description = "GPU nodes with their inventory and capabilities")
class NodeController {
    private final Nodes nodes;

    NodeController(Nodes nodes) {
        this.nodes = nodes;
    }

    /** A change of a node. */
    record PatchNodeRequest(@NotNull Boolean schedulable) {}

    @GetMapping
    @Operation(operationId = "listNodes", summary = "List nodes, newest first")
    Page<NodeResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return nodes.list(PageQuery.of("nodes", pageSize, pageToken)).map(NodeResource::of);
    }

    @GetMapping("/{nodeId}")
    @Operation(operationId = "getNode", summary = "Read a node")
    ResponseEntity<NodeResource> get(@PathVariable NodeId nodeId) {
        return response(nodes.get(nodeId));
    }

    @PatchMapping("/{nodeId}")
    @Operation(
            operationId = "patchNode",
            summary = "Cordon a node or open it again",
            description = "A cordoned node gets no new work; what it works on goes on.")
    ResponseEntity<NodeResource> patch(
            @PathVariable NodeId nodeId,
            @Valid @RequestBody PatchNodeRequest request,
            @Parameter(hidden = true) IfMatch ifMatch) {
        return response(nodes.setSchedulable(nodeId, request.schedulable(), ifMatch));
    }

    private static ResponseEntity<NodeResource> response(Node node) {
        return ResponseEntity.ok().eTag(ETags.of(node.version())).body(NodeResource.of(node));
    }
}
