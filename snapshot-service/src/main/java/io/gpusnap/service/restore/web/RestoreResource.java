package io.gpusnap.service.restore.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.restore.Decision;
import io.gpusnap.service.restore.Restore;
import io.gpusnap.service.restore.Restores;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A restore.
 *
 * @param state its operation's state
 * @param decision why this snapshot and this node
 * @param workloadId the process that came back
 * @param thawSeconds from the claim to a healthy process
 * @param fillBytesPerSecond rate at which bytes were brought to the devices while their memory was filled
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Restore")
record RestoreResource(
        RestoreId id,
        OperationState state,
        SnapshotId snapshotId,
        String model,
        String version,
        Engine engine,
        NodeId nodeId,
        OperationId operationId,
        Decision decision,
        @Nullable WorkloadId workloadId,
        @Nullable Integer pid,
        @Nullable Double thawSeconds,
        @Nullable Map<String, Double> stageSeconds,
        @Nullable Double fillBytesPerSecond,
        @Nullable Failure failure,
        Instant createdAt,
        @Nullable Instant finishedAt) {

    static RestoreResource of(Restores.View view) {
        Restore restore = view.restore();
        Operation operation = view.operation();
        return new RestoreResource(
                restore.id(),
                operation.state(),
                restore.snapshotId(),
                view.snapshot().modelName(),
                view.snapshot().versionName(),
                view.snapshot().engine(),
                restore.nodeId(),
                operation.id(),
                restore.decision(),
                restore.workloadId().orElse(null),
                restore.pid().orElse(null),
                restore.thawSeconds().orElse(null),
                restore.stageSeconds().orElse(null),
                restore.fillBytesPerSecond().orElse(null),
                operation.failure().orElse(null),
                restore.createdAt(),
                operation.finishedAt().orElse(null));
    }
}
