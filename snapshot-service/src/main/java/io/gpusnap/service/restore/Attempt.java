package io.gpusnap.service.restore;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * One way back that was tried.
 *
 * @param reason why this way
 * @param ended how its operation ended; absent while it is on its way
 * @param failure why it failed, if it did
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Attempt(
        int number,
        Decision.Way way,
        SnapshotId snapshotId,
        NodeId nodeId,
        OperationId operationId,
        String reason,
        Instant startedAt,
        @Nullable OperationState ended,
        @Nullable Failure failure,
        @Nullable Instant endedAt) {

    Attempt end(OperationState how, @Nullable Failure why, Instant now) {
        return new Attempt(number, way, snapshotId, nodeId, operationId, reason, startedAt, how, why, now);
    }
}
