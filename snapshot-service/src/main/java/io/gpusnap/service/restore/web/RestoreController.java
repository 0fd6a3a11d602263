package io.gpusnap.service.restore.web;

import io.gpusnap.service.operation.OperationResource;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.restore.Restores;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Restores. */
@RestController
@RequestMapping("/api/v1/restores")
@Tag(name = "Restores", description = "Snapshots brought back on a node")
class RestoreController {
    private final Restores restores;
    private final IdempotentCreates creates;

    RestoreController(Restores restores, IdempotentCreates creates) {
        this.restores = restores;
        this.creates = creates;
    }

    /** The new restore, and the operation that does it. */
    record CreateRestoreReply(RestoreResource restore, OperationResource operation) {}

    @PostMapping
    @Operation(
            operationId = "createRestore",
            summary = "Thaw a snapshot",
            description =
                    "Takes snapshotId, or model and version for the newest READY one that can come back. The restore's decision says why "
                            + "this snapshot and this node.")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(
            responseCode = "409",
            description =
                    "The snapshot is not READY or quarantined; no node that holds it can do it; its suspended process is "
                            + "gone or busy; or the key's first request still runs")
    ResponseEntity<CreateRestoreReply> create(
            @Valid @RequestBody CreateRestoreRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        Restores.Wish wish = request.wish();
        return creates.once(key, request, CreateRestoreReply.class, () -> {
            Restores.View view = restores.create(wish, Optional.ofNullable(request.nodeId()));
            return new Created<>(
                    202,
                    OperationResource.path(view.operation().id()),
                    null,
                    new CreateRestoreReply(RestoreResource.of(view), OperationResource.of(view.operation())));
        });
    }

    @GetMapping
    @Operation(operationId = "listRestores", summary = "List restores, newest first")
    Page<RestoreResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return restores.list(PageQuery.of("restores", pageSize, pageToken)).map(RestoreResource::of);
    }

    @GetMapping("/{restoreId}")
    @Operation(operationId = "getRestore", summary = "Read a restore")
    RestoreResource get(@PathVariable RestoreId restoreId) {
        return RestoreResource.of(restores.get(restoreId));
    }
}
