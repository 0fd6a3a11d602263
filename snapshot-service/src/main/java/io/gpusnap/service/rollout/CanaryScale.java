package io.gpusnap.service.rollout;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.PositiveOrZero;
import org.jspecify.annotations.Nullable;

/**
 * How many replicas get the new version, apart from the weight. One member at most; without any it is by weight again.
 *
 * @param replicas the next so many replicas get it, and no more
 * @param weight so many of a hundred get it, whatever setWeight says
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record CanaryScale(
        @PositiveOrZero @Nullable Integer replicas,
        @Min(0) @Max(100) @Nullable Integer weight) {}
