package io.gpusnap.service.restore.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.operation.OperationResource;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.restore.Order;
import io.gpusnap.service.restore.Restores;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
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

    /**
     * The new restore, and the operation that does it.
     *
     * @param restore absent for a dry run
     * @param operation absent for a dry run, and when the restore is COLD from the start
     * @param preview present for a dry run only
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record CreateRestoreReply(
            @Nullable RestoreResource restore,
            @Nullable OperationResource operation,
            Restores.@Nullable Preview preview) {}

    @PostMapping
    @Operation(
            operationId = "createRestore",
            summary = "Bring a model, a version or a snapshot back",
            description =
                    "The restore's decision says why this version, snapshot and node, how long it should take, what comes next when "
                            + "that fails, and which nodes were not taken for what reason. When nothing comes back the restore is COLD: "
                            + "an answer that says how to start it, not an error. A failed way is followed by the next one.")
    @ApiResponse(responseCode = "200", description = "A dry run: what would be done")
    @ApiResponse(responseCode = "201", description = "COLD: start it yourself")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(
            responseCode = "409",
            description =
                    "With fallback NONE: the snapshot is not READY or quarantined; no node that holds it can do it; its suspended "
                            + "process is gone or busy. In any case: the key's first request still runs")
    ResponseEntity<CreateRestoreReply> create(
            @Valid @RequestBody CreateRestoreRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        Order order = request.order();
        return creates.once(
                key,
                request,
                CreateRestoreReply.class,
                () -> request.isDryRun() ? preview(order) : created(restores.create(order)));
    }

    private Created<CreateRestoreReply> preview(Order order) {
        return new Created<>(
                200, "/api/v1/restores", null, new CreateRestoreReply(null, null, restores.preview(order)));
    }

    private static Created<CreateRestoreReply> created(Restores.View view) {
        RestoreResource restore = RestoreResource.of(view);
        return view.operation()
                .map(operation -> new Created<>(
                        202,
                        OperationResource.path(operation.id()),
                        null,
                        new CreateRestoreReply(restore, OperationResource.of(operation), null)))
                .orElseGet(() -> new Created<>(
                        201, "/api/v1/restores/" + restore.id(), null, new CreateRestoreReply(restore, null, null)));
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
