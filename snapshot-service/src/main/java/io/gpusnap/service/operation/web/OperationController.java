package io.gpusnap.service.operation.web;

import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.OperationResource;
import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.tags.Tag;
import org.jspecify.annotations.Nullable;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Operations as callers see them. */
@RestController
@RequestMapping("/api/v1/operations")
@Tag(name = "Operations", description = "Long work: stages, bytes, rate, remaining time, failure, cancel")
class OperationController {
    private final Operations operations;

    OperationController(Operations operations) {
        this.operations = operations;
    }

    @GetMapping
    @Operation(operationId = "listOperations", summary = "List operations, newest first")
    Page<OperationResource> list(
            @RequestParam(required = false) @Nullable OperationState state,
            @RequestParam(required = false) @Nullable OperationKind kind,
            @RequestParam(required = false) @Nullable NodeId node,
            @RequestParam(required = false) @Nullable SnapshotId snapshot,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return operations
                .list(
                        new Operations.Filter(state, kind, node, snapshot),
                        PageQuery.of("operations", pageSize, pageToken, state, kind, node, snapshot))
                .map(OperationResource::of);
    }

    @GetMapping("/{operationId}")
    @Operation(operationId = "getOperation", summary = "Read an operation")
    OperationResource get(@PathVariable OperationId operationId) {
        return OperationResource.of(operations.get(operationId));
    }

    @PostMapping("/{operationId}/cancellation")
    @Operation(
            operationId = "cancelOperation",
            summary = "Cancel an operation",
            description =
                    "Ends a pending one at once. A running one is asked to stop at its next safe point and to undo "
                            + "what it did; poll it until its state is CANCELLED. Asking twice is harmless.")
    OperationResource cancel(@PathVariable OperationId operationId) {
        return OperationResource.of(operations.cancel(operationId));
    }
}
