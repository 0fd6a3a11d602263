package io.gpusnap.service.snapshot.web;

import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.OperationResource;
import io.gpusnap.service.operation.SuspendDepth;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.idempotency.Created;
import io.gpusnap.service.platform.idempotency.IdempotencyKey;
import io.gpusnap.service.platform.idempotency.IdempotentCreates;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.web.ETags;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotCommands;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import io.swagger.v3.oas.annotations.Operation;
import io.swagger.v3.oas.annotations.Parameter;
import io.swagger.v3.oas.annotations.media.Content;
import io.swagger.v3.oas.annotations.media.Schema;
import io.swagger.v3.oas.annotations.responses.ApiResponse;
import io.swagger.v3.oas.annotations.tags.Tag;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import java.net.URI;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.DeleteMapping;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Snapshots. */
@RestController
@RequestMapping("/api/v1/snapshots")
@Tag(name = "Snapshots", description = "Frozen processes, kept by model and version")
class SnapshotController {
    private final Snapshots snapshots;
    private final SnapshotCommands commands;
    private final Copies copies;
    private final IdempotentCreates creates;

    SnapshotController(Snapshots snapshots, SnapshotCommands commands, Copies copies, IdempotentCreates creates) {
        this.snapshots = snapshots;
        this.commands = commands;
        this.copies = copies;
        this.creates = creates;
    }

    /**
     * A snapshot to be taken.
     *
     * @param afterSave what becomes of the process
     * @param suspendDepth for engine suspend only: how much leaves the GPU; absent is CONTEXT_RELEASED
     * @param quiesceTimeoutSeconds so long the application's callbacks may take, and its device to become idle; absent is 30
     */
    record CreateSnapshotRequest(
            @NotBlank String model,
            @NotBlank String version,
            @NotNull WorkloadId workloadId,
            @NotNull Engine engine,
            @NotNull AfterSave afterSave,
            @Nullable SuspendDepth suspendDepth,
            @Min(1) @Max(600) @Nullable Integer quiesceTimeoutSeconds) {}

    /** The new snapshot, CREATING, and the operation that makes it. */
    record CreateSnapshotReply(SnapshotResource snapshot, OperationResource operation) {}

    @PostMapping
    @Operation(
            operationId = "createSnapshot",
            summary = "Freeze a workload into a snapshot",
            description = "Refused at once when it is known that the node would refuse: the problem has the reason.")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(
            responseCode = "409",
            description =
                    "The workload is busy, not running or cannot be frozen; the node is silent, cordoned or lacks the "
                            + "engine; or the key's first request still runs")
    ResponseEntity<CreateSnapshotReply> create(
            @Valid @RequestBody CreateSnapshotRequest request, @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, request, CreateSnapshotReply.class, () -> {
            SnapshotCommands.Queued queued = commands.save(
                    request.model(),
                    request.version(),
                    request.workloadId(),
                    request.engine(),
                    request.afterSave(),
                    request.suspendDepth(),
                    request.quiesceTimeoutSeconds());
            return new Created<>(
                    202,
                    OperationResource.path(queued.operation().id()),
                    null,
                    new CreateSnapshotReply(
                            SnapshotResource.of(queued.snapshot(), List.of(), null),
                            OperationResource.of(queued.operation())));
        });
    }

    @GetMapping
    @Operation(operationId = "listSnapshots", summary = "List snapshots, newest first")
    Page<SnapshotResource> list(
            @RequestParam(required = false) @Nullable String model,
            @RequestParam(required = false) @Nullable String version,
            @RequestParam(required = false) @Nullable SnapshotState state,
            @RequestParam(required = false) @Nullable Integer pageSize,
            @RequestParam(required = false) @Nullable String pageToken) {
        Page<Snapshot> page = snapshots.list(
                new Snapshots.Filter(model, version, state),
                PageQuery.of("snapshots", pageSize, pageToken, model, version, state));
        Map<SnapshotId, List<Location>> where =
                copies.of(page.items().stream().map(Snapshot::id).toList());
        return page.map(snapshot -> SnapshotResource.of(snapshot, where.getOrDefault(snapshot.id(), List.of()), null));
    }

    @GetMapping("/{snapshotId}")
    @Operation(operationId = "getSnapshot", summary = "Read a snapshot")
    ResponseEntity<SnapshotResource> get(@PathVariable SnapshotId snapshotId) {
        Snapshot snapshot = snapshots.get(snapshotId);
        return ResponseEntity.ok()
                .eTag(ETags.of(snapshot.rowVersion()))
                .body(SnapshotResource.of(snapshot, copies.of(snapshotId), sizes(snapshot)));
    }

    private SnapshotResource.@Nullable Sizes sizes(Snapshot snapshot) {
        return copies.sizes(snapshot.id())
                .flatMap(sizes -> snapshot.totals()
                        .map(totals -> new SnapshotResource.Sizes(
                                totals.logicalBytes(), sizes.uniqueBytes(), sizes.sharedBytes())))
                .orElse(null);
    }

    @GetMapping(path = "/{snapshotId}/manifest", produces = MediaType.APPLICATION_JSON_VALUE)
    @Operation(
            operationId = "getSnapshotManifest",
            summary = "Read a snapshot's manifest",
            description = "The exact bytes whose SHA-256 is the snapshot's manifestDigest, which is also the ETag.")
    @ApiResponse(
            responseCode = "200",
            description = "OK",
            content = @Content(mediaType = MediaType.APPLICATION_JSON_VALUE, schema = @Schema(type = "object")))
    @ApiResponse(responseCode = "409", description = "SNAPSHOT_NOT_READY: it has no manifest")
    ResponseEntity<byte[]> manifest(@PathVariable SnapshotId snapshotId) {
        byte[] bytes = snapshots.manifest(snapshotId);
        return ResponseEntity.ok()
                .eTag("\"" + snapshots.get(snapshotId).manifestDigest().orElse("") + "\"")
                .contentType(MediaType.APPLICATION_JSON)
                .body(bytes);
    }

    @PostMapping("/{snapshotId}/verifications")
    @Operation(
            operationId = "verifySnapshot",
            summary = "Read every chunk again and compare digests",
            description = "A chunk that is wrong or missing puts the snapshot into QUARANTINED for good.")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(responseCode = "409", description = "The snapshot is not READY, or no node holds it")
    ResponseEntity<OperationResource> verify(
            @PathVariable SnapshotId snapshotId, @Parameter(hidden = true) IdempotencyKey key) {
        return creates.once(key, null, OperationResource.class, () -> {
            var operation = commands.verify(snapshotId);
            return new Created<>(202, OperationResource.path(operation.id()), null, OperationResource.of(operation));
        });
    }

    @DeleteMapping("/{snapshotId}")
    @Operation(
            operationId = "deleteSnapshot",
            summary = "Delete a snapshot from every node and store",
            description =
                    "Answers with the first node's operation. Chunks that other snapshots share stay. The row stays as DELETED.")
    @ApiResponse(responseCode = "202", description = "Queued; Location is the operation")
    @ApiResponse(
            responseCode = "204",
            description = "DELETED at once: only lost nodes have it, and they are told should they come back",
            content = @Content)
    @ApiResponse(responseCode = "409", description = "IN_USE by a restore or verification, or CONFLICT with its state")
    ResponseEntity<OperationResource> delete(
            @PathVariable SnapshotId snapshotId, @Parameter(hidden = true) IfMatch ifMatch) {
        return commands.delete(snapshotId, ifMatch)
                .map(operation -> ResponseEntity.accepted()
                        .location(URI.create(OperationResource.path(operation.id())))
                        .body(OperationResource.of(operation)))
                .orElseGet(() -> ResponseEntity.noContent().build());
    }
}
