package io.gpusnap.service.recovery;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RecoveryId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A process of a lost node, and what is done about it.
 *
 * @param nodeId the lost node
 * @param lostRestoreId the restore that it came from
 * @param restoreId the restore that brings it back
 * @param priority greater goes first
 * @param fenced whether the lost node came back with it, and was told to end it
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Recovery(
        RecoveryId id,
        RecoveryState state,
        NodeId nodeId,
        @Nullable WorkloadId workloadId,
        RestoreId lostRestoreId,
        @Nullable RestoreId restoreId,
        int priority,
        boolean fenced,
        Instant createdAt,
        @Nullable Instant endedAt) {}
