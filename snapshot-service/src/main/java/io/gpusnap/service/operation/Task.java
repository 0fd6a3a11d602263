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
        OperationSpec.@Nullable Delete delete) {

    static Task of(OperationId id, long epoch, int attempt, Instant leaseUntil, OperationSpec spec) {
        return switch (spec) {
            case OperationSpec.Save save ->
                new Task(id, epoch, attempt, leaseUntil, OperationKind.SAVE, save, null, null, null, null);
            case OperationSpec.Thaw thaw ->
                new Task(id, epoch, attempt, leaseUntil, OperationKind.THAW, null, thaw, null, null, null);
            case OperationSpec.Switch to ->
                new Task(id, epoch, attempt, leaseUntil, OperationKind.SWITCH, null, null, to, null, null);
            case OperationSpec.Verify verify ->
                new Task(id, epoch, attempt, leaseUntil, OperationKind.VERIFY, null, null, null, verify, null);
            case OperationSpec.Delete delete ->
                new Task(id, epoch, attempt, leaseUntil, OperationKind.DELETE, null, null, null, null, delete);
        };
    }
}
