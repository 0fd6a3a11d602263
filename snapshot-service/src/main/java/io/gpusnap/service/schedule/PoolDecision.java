package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.PoolDecisionId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the scheduler did, and why.
 *
 * @param model whose replica starts, or of a SUSPEND leaves
 * @param leaves the process that leaves its slot
 * @param operations that were queued for it
 * @param refusal why it could not be done
 */
public record PoolDecision(
        PoolDecisionId id,
        Instant at,
        Action action,
        String model,
        NodeId nodeId,
        @Nullable WorkloadId leaves,
        List<OperationId> operations,
        String reason,
        @Nullable String refusal) {

    /** What was done. */
    public enum Action {
        /** A suspended replica was woken. */
        RESUME,
        /** A replica was started from a snapshot. */
        THAW,
        /** A replica was suspended that nobody wants. */
        SUSPEND,
        /** A replica left its slot for another one, which was woken or thawed. */
        SWITCH
    }
}
