package io.gpusnap.service.policy;

import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.policy.rules.Decision;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.Optional;

/**
 * A decision and what became of it.
 *
 * @param operation that was queued for it
 * @param why it was deferred
 */
public record CarriedOut(Decision decision, Result result, Optional<OperationId> operation, Optional<String> why) {

    /** DEFERRED: the limits on moves are reached, or something stands against it by now; the next evaluation decides anew. */
    @Schema(name = "DecisionResult")
    public enum Result {
        QUEUED,
        DONE,
        DEFERRED,
        NOTHING_TO_DO
    }
}
