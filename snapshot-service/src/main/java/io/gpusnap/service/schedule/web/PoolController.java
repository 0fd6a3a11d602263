package io.gpusnap.service.schedule.web;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.schedule.Pool;
import io.gpusnap.service.schedule.PoolDecision;
import io.gpusnap.service.schedule.Pools;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PatchMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Pools. */
@RestController
@RequestMapping("/api/v1/pools")
@Tag(name = "Pools", description = "Several models share GPUs")
class PoolController {
    private final Pools pools;
    private final IdempotentCreates creates;

    PoolController(Pools pools, IdempotentCreates creates) {
        this.pools = pools;
        this.creates = creates;
    }

    /** A new pool. */
    record CreatePoolRequest(
            @NotNull @DnsLabel String name,
            @NotNull @Size(max = 10_000) List<@NotNull NodeId> nodeIds,
            @NotNull @Size(max = 1000) List<@NotNull @Valid PoolModel> models) {}

    /** A change; what is absent stays as it is, lists are replaced as a whole. */
    record PatchPoolRequest(
            @Nullable @Size(max = 10_000) List<@NotNull NodeId> nodeIds,
            @Nullable @Size(max = 1000) List<@NotNull @Valid PoolModel> models) {}

    @PostMapping
    @Operation(
            operationId = "createPool",
            summary = "Create a pool",
            description =
                    "From here on the service suspends, resumes and thaws replicas of the named models on the named nodes. "
                            + "Processes of other models are left alone; a GPU is one replica's.")
    @ApiResponse(responseCode = "201", description = "Created")
    @ApiResponse(
            responseCode = "409",
            description = "NAME_TAKEN, IN_USE for a node of another pool, or the key's first request still runs")
    ResponseEntity<PoolResource> create(
            @Valid @RequestBody CreatePoolRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, request, PoolResource.class, () -> {
            Pool pool = pools.create(request.name(), request.nodeIds(), PoolModel.members(request.models()));
            return new Created<>(201, "/api/v1/pools/" + pool.name(), ETags.of(pool.version()), PoolResource.of(pool));
        });
    }

    @GetMapping
    @Operation(operationId = "listPools", summary = "List pools by name")
    Page<PoolResource> list(
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return pools.list(PageQuery.of("pools", pageSize, pageToken)).map(PoolResource::of);
    }

    @GetMapping("/{pool}")
    @Operation(operationId = "getPool", summary = "Read a pool")
    ResponseEntity<PoolResource> get(@PathVariable String pool) {
        return response(pools.get(pool));
    }

    @PatchMapping("/{pool}")
    @Operation(operationId = "patchPool", summary = "Change a pool's nodes or what its models are to have")
    @ApiResponse(responseCode = "200", description = "Changed; the next decision is due at once")
    @ApiResponse(responseCode = "409", description = "IN_USE: a node is in another pool")
    ResponseEntity<PoolResource> patch(
            @PathVariable String pool,
            @Valid @RequestBody PatchPoolRequest request,
            @Parameter(hidden = true) IfMatch ifMatch) {
        return response(pools.change(
                pool,
                request.nodeIds(),
                request.models() == null ? null : PoolModel.members(request.models()),
                ifMatch));
    }

    @DeleteMapping("/{pool}")
    @ResponseStatus(HttpStatus.NO_CONTENT)
    @Operation(operationId = "deletePool", summary = "Delete a pool; what runs goes on")
    @ApiResponse(responseCode = "204", description = "Deleted")
    void delete(@PathVariable String pool, @Parameter(hidden = true) IfMatch ifMatch) {
        pools.delete(pool, ifMatch);
    }

    @GetMapping("/{pool}/decisions")
    @Operation(operationId = "listPoolDecisions", summary = "List what the scheduler did and why, newest first")
    Page<PoolDecision> decisions(
            @PathVariable String pool,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        return pools.decisions(pool, PageQuery.of("pool-decisions " + pool, pageSize, pageToken));
    }

    private static ResponseEntity<PoolResource> response(Pool pool) {
        return ResponseEntity.ok().eTag(ETags.of(pool.version())).body(PoolResource.of(pool));
    }
}
