package io.gpusnap.service.rollout;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

/**
 * One step as callers write it and rows keep it; exactly one member is there.
 *
 * @param setWeight so many of a hundred restores get the new version
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "RolloutStep")
public record StepSpec(
        @Min(0) @Max(100) @Nullable Integer setWeight,
        @Valid @Nullable Pause pause,
        @Valid @Nullable AnalysisSpec analysis,
        @Valid @Nullable CanaryScale setCanaryScale) {

    /** Without a time it waits until somebody promotes it. */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "RolloutPause")
    public record Pause(@Min(1) @Max(31_536_000) @Nullable Integer durationSeconds) {}
}
