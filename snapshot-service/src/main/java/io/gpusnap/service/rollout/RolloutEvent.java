package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.HistoryId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;

/**
 * A row of a rollout's history.
 *
 * @param step at which it happened, counted from 0
 * @param who the caller's name, or {@code rollout} for what it did by itself
 */
public record RolloutEvent(HistoryId id, Type type, int step, String message, String who, Instant at) {

    /** What happened. */
    @Schema(name = "RolloutEventType")
    public enum Type {
        STARTED,
        WEIGHT_SET,
        CANARY_SCALE_SET,
        PAUSED,
        RESUMED,
        PROMOTED,
        ANALYSIS_STARTED,
        ANALYSIS_SUCCEEDED,
        ANALYSIS_FAILED,
        ANALYSIS_INCONCLUSIVE,
        ROLLED_BACK,
        ABORTED,
        RETRIED,
        COMPLETED
    }
}
