package io.gpusnap.service.operation.web;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.StageReport;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The end of an operation.
 *
 * @param failure present exactly when the outcome is FAILED
 * @param save present exactly when a SAVE succeeded
 * @param thaw present exactly when a THAW succeeded
 * @param workloadLost the operation failed and took the workload with it
 */
@JsonIgnoreProperties(ignoreUnknown = true)
record CompletionRequest(
        long epoch,
        @NotNull Completion.OutcomeKind outcome,
        @Nullable @Size(max = 100) List<@Valid StageReport> stages,
        @Valid @Nullable ReportedFailure failure,
        Completion.@Valid @Nullable SaveResult save,
        Completion.@Valid @Nullable ThawResult thaw,
        @Nullable Boolean workloadLost) {

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
            boolean retryable) {}
}
