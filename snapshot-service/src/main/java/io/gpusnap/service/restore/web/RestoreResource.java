package io.gpusnap.service.restore.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.restore.Attempt;
import io.gpusnap.service.restore.ColdStart;
import io.gpusnap.service.restore.Decision;
import io.gpusnap.service.restore.Restore;
import io.gpusnap.service.restore.RestoreState;
import io.gpusnap.service.restore.Restores;
import io.gpusnap.service.snapshot.Snapshot;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A restore.
 *
 * @param alias that was asked for
 * @param rolloutId the rollout that chose the version
 * @param snapshotId what is tried, or was tried last
 * @param operationId of the way that is tried, or was tried last
 * @param attempts each way that was tried, and how it ended
 * @param cold what to do; present exactly when the state is COLD
 * @param workloadId the process that came back
 * @param thawSeconds from the claim to a healthy process
 * @param firstAnswerSeconds until it had answered its version's oracle
 * @param fillBytesPerSecond rate at which bytes were brought to the devices, of the time in which some were on their way
 * @param failure why the last way failed
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Restore")
record RestoreResource(
        RestoreId id,
        RestoreState state,
        String model,
        String version,
        @Nullable String alias,
        @Nullable String replicaKey,
        @Nullable RolloutId rolloutId,
        @Nullable Integer recoveryPriority,
        @Nullable SnapshotId snapshotId,
        @Nullable Engine engine,
        @Nullable NodeId nodeId,
        @Nullable OperationId operationId,
        Decision decision,
        List<Attempt> attempts,
        @Nullable ColdStart cold,
        @Nullable WorkloadId workloadId,
        @Nullable Integer pid,
        @Nullable Double thawSeconds,
        @Nullable Double firstAnswerSeconds,
        @Nullable Map<String, Double> stageSeconds,
        @Nullable Double fillBytesPerSecond,
        @Nullable Failure failure,
        Instant createdAt,
        @Nullable Instant finishedAt) {

    static RestoreResource of(Restores.View view) {
        Restore restore = view.restore();
        Optional<Operation> operation = view.operation();
        return new RestoreResource(
                restore.id(),
                view.state(),
                restore.modelName(),
                restore.versionName(),
                restore.alias().orElse(null),
                restore.replicaKey().orElse(null),
                restore.rolloutId().orElse(null),
                restore.recoveryPriority().orElse(null),
                restore.triedSnapshot().orElse(null),
                view.snapshot().map(Snapshot::engine).orElse(null),
                restore.triedNode().orElse(null),
                operation.map(Operation::id).orElse(null),
                restore.decision(),
                restore.attempts(),
                restore.coldStart().orElse(null),
                restore.workloadId().orElse(null),
                restore.pid().orElse(null),
                restore.thawSeconds().orElse(null),
                restore.firstAnswerSeconds().orElse(null),
                restore.stageSeconds().orElse(null),
                restore.fillBytesPerSecond().orElse(null),
                operation.flatMap(Operation::failure).orElse(null),
                restore.createdAt(),
                restore.endedAt().orElse(null));
    }
}
