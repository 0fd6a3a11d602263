package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation as callers see it; also part of the answer to what queued it.
 *
 * @param attempt number of claims so far
 * @param stages in order, as the daemon reported them last; empty until it did
 * @param failure present exactly when the state is FAILED
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Operation")
public record OperationResource(
        OperationId id,
        OperationKind kind,
        OperationState state,
        boolean cancelRequested,
        NodeId nodeId,
        Target target,
        @Nullable Engine engine,
        int attempt,
        List<StageReport> stages,
        Progress progress,
        @Nullable Failure failure,
        Instant createdAt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt) {

    /** What the operation is about: a snapshot, and of work on a tier the store that it changes or reads. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "OperationTarget")
    public record Target(
            @Nullable SnapshotId snapshotId,
            @Nullable RestoreId restoreId,
            @Nullable WorkloadId workloadId,
            @Nullable StoreId storeId) {}

    public static OperationResource of(Operation operation) {
        return new OperationResource(
                operation.id(),
                operation.kind(),
                operation.state(),
                operation.cancelRequested(),
                operation.nodeId(),
                new Target(
                        operation.snapshot().orElse(null),
                        operation.restoreId().orElse(null),
                        operation.workloadId().orElse(null),
                        operation.storeId().orElse(null)),
                operation.engineIfAny().orElse(null),
                operation.attempt(),
                operation.stages(),
                Progress.of(operation.stages()),
                operation.failure().orElse(null),
                operation.createdAt(),
                operation.startedAt().orElse(null),
                operation.finishedAt().orElse(null));
    }

    /** Path of the resource. */
    public static String path(OperationId id) {
        return "/api/v1/operations/" + id;
    }
}
