package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import io.gpusnap.service.platform.id.OperationId;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A claimed operation, as its daemon gets it. Exactly the member named like the kind is present.
 *
 * @param epoch to be sent with every report; greater at every claim
 * @param attempt 1 at the first claim
 * @param leaseUntil the operation is handed out again after this moment unless progress is reported; database clock
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Task(
        OperationId operationId,
        long epoch,
        int attempt,
        Instant leaseUntil,
        OperationKind kind,
        OperationSpec.@Nullable Save save,
        OperationSpec.@Nullable Thaw thaw,
        @JsonProperty("switch") OperationSpec.@Nullable Switch switchTo,
        OperationSpec.@Nullable Verify verify,
        OperationSpec.@Nullable Delete delete,
        TierSpec.@Nullable Transfer transfer,
        TierSpec.@Nullable Evict evict,
        TierSpec.@Nullable Sweep sweep,
        TierSpec.@Nullable Scrub scrub) {

    static Task of(OperationId id, long epoch, int attempt, Instant leaseUntil, OperationSpec spec) {
        return new Task(
                id,
                epoch,
                attempt,
                leaseUntil,
                spec.kind(),
                only(spec, OperationSpec.Save.class),
                only(spec, OperationSpec.Thaw.class),
                only(spec, OperationSpec.Switch.class),
                only(spec, OperationSpec.Verify.class),
                only(spec, OperationSpec.Delete.class),
                only(spec, TierSpec.Transfer.class),
                only(spec, TierSpec.Evict.class),
                only(spec, TierSpec.Sweep.class),
                only(spec, TierSpec.Scrub.class));
    }

    private static <T> @Nullable T only(OperationSpec spec, Class<T> type) {
        return type.isInstance(spec) ? type.cast(spec) : null;
    }
}
