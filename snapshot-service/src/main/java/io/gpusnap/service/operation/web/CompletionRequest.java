package io.gpusnap.service.operation.web;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.DamagedCopy;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.operation.Outcome;
import io.gpusnap.service.operation.StageReport;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The end of an operation.
 *
 * @param failure present exactly when the outcome is FAILED
 * @param save present exactly when a SAVE succeeded
 * @param thaw present when a THAW or a SWITCH succeeded, and when a SWITCH failed after its process served
 * @param suspended present when a SWITCH succeeded: who made room, empty when nobody had to. Of one that failed after its
 *     process served, those whose snapshot exists
 * @param transfer present exactly when a TRANSFER succeeded; {@code evict}, {@code sweep} and {@code scrub} likewise
 * @param damaged copies of snapshots that were found wrong on the way, whatever the outcome
 * @param workloadLost the operation failed and took the workload with it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record CompletionRequest(
        long epoch,
        @NotNull Completion.OutcomeKind outcome,
        @Nullable @Size(max = 100) List<@Valid StageReport> stages,
        @Valid @Nullable ReportedFailure failure,
        @Valid Completion.@Nullable SaveResult save,
        @Valid Completion.@Nullable ThawResult thaw,
        @Nullable @Size(max = 100) List<Completion.@Valid SuspendResult> suspended,
        @Valid TierResult.@Nullable Transferred transfer,
        @Valid TierResult.@Nullable Evicted evict,
        @Valid TierResult.@Nullable Swept sweep,
        @Valid TierResult.@Nullable Scrubbed scrub,
        @Nullable @Size(max = 1000) List<@Valid DamagedCopy> damaged,
        @Nullable Boolean workloadLost) {

    /** @throws ApiException INVALID_REQUEST if the parts do not fit kind and outcome */
    Completion toCompletion(OperationKind kind) {
        return new Completion(
                epoch,
                Objects.requireNonNullElse(stages, List.of()),
                outcomeOf(kind),
                Boolean.TRUE.equals(workloadLost),
                Objects.requireNonNullElse(damaged, List.of()));
    }

    private Outcome outcomeOf(OperationKind kind) {
        return switch (outcome) {
            case SUCCEEDED ->
                switch (kind) {
                    case SAVE -> new Outcome.Saved(required(save, "/save"));
                    case THAW -> new Outcome.Thawed(required(thaw, "/thaw"));
                    case SWITCH -> new Outcome.Switched(required(thaw, "/thaw"), required(suspended, "/suspended"));
                    case VERIFY, DELETE -> new Outcome.Done();
                    case TRANSFER -> new Outcome.OfTier(required(transfer, "/transfer"));
                    case EVICT -> new Outcome.OfTier(required(evict, "/evict"));
                    case SWEEP -> new Outcome.OfTier(required(sweep, "/sweep"));
                    case SCRUB -> new Outcome.OfTier(required(scrub, "/scrub"));
                };
            case FAILED -> failed(kind, required(failure, "/failure").toFailure());
            case CANCELLED -> new Outcome.Cancelled();
        };
    }

    private Outcome failed(OperationKind kind, Failure why) {
        return kind == OperationKind.SWITCH && thaw != null
                ? new Outcome.SwitchedInPart(
                        why, new Outcome.Switched(thaw, Objects.requireNonNullElse(suspended, List.of())))
                : new Outcome.Failed(why);
    }

    private static <T> T required(@Nullable T part, String pointer) {
        if (part == null) {
            String detail = "is required for this kind and outcome";
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST, pointer + " " + detail + ".", List.of(new Violation(pointer, detail)));
        }
        return part;
    }

    /**
     * Why it failed.
     *
     * @param code a failure code; one that the service does not know is kept as INTERNAL with the name in the detail
     * @param stage the stage that failed
     * @param retryable whether the same request might succeed later
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "ReportedFailure")
    record ReportedFailure(
            @NotBlank @Size(max = 60) String code,
            @NotBlank @Size(max = 10_000) String detail,
            @Size(max = 60) @Nullable String stage,
            boolean retryable) {

        Failure toFailure() {
            return Arrays.stream(ErrorCode.values())
                    .filter(known -> known.name().equals(code))
                    .findFirst()
                    .map(known -> Failure.of(known, detail, stage, retryable))
                    .orElseGet(() -> Failure.of(ErrorCode.INTERNAL, code + ": " + detail, stage, retryable));
        }
    }
}
