package io.gpusnap.service.rollout;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.validation.DnsLabel;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.DecimalMax;
import jakarta.validation.constraints.DecimalMin;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Size;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is measured of the new version, and how often. */
@Schema(name = "Analysis")
public record AnalysisSpec(@NotNull @Size(min = 1, max = 10) List<@NotNull @Valid Metric> metrics) {

    /** What a metric looks at. */
    @Schema(name = "AnalysisKind")
    public enum Kind {
        /** Ways back of the new version that led back, of all that ended in this rollout. */
        THAW_SUCCESS_RATE,
        /** Seconds from the claim to the first answer, or where the version has no oracle to a healthy process. */
        TIME_TO_FIRST_ANSWER,
        /** Whether every process of the new version answered as its oracle says. */
        ANSWER_ORACLE,
        /** A query to the configured Prometheus. */
        PROMETHEUS
    }

    /** How a value compares with a limit. */
    @Schema(name = "AnalysisComparison")
    public enum Comparison {
        LT,
        LE,
        GT,
        GE,
        EQ;

        boolean holds(double value, double limit) {
            return switch (this) {
                case LT -> value < limit;
                case LE -> value <= limit;
                case GT -> value > limit;
                case GE -> value >= limit;
                case EQ -> value == limit;
            };
        }
    }

    /** A value against a limit. */
    @Schema(name = "AnalysisCondition")
    public record Condition(@NotNull Comparison comparison, double limit) {
        boolean holds(double value) {
            return comparison.holds(value, limit);
        }
    }

    /**
     * One metric. It fails when more than failureLimit measurements failed; the rollout pauses when more than inconclusiveLimit
     * said nothing; it succeeds with its last measurement otherwise.
     *
     * @param intervalSeconds between measurements, 10 when absent
     * @param count of measurements, 1 when absent
     * @param failureLimit 0 when absent
     * @param inconclusiveLimit 0 when absent
     * @param minSamples of restores below which a measurement says nothing, 1 when absent
     * @param minRatio of THAW_SUCCESS_RATE, 1 when absent
     * @param maxSeconds of TIME_TO_FIRST_ANSWER
     * @param quantile of TIME_TO_FIRST_ANSWER, 0.95 when absent
     * @param query of PROMETHEUS: an instant query with one value
     * @param success of PROMETHEUS: when the value is good
     * @param failure of PROMETHEUS: when it is bad; absent is whenever it is not good
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "AnalysisMetric")
    public record Metric(
            @NotNull @DnsLabel String name,
            @NotNull Kind kind,
            @Min(1) @Max(86_400) @Nullable Integer intervalSeconds,
            @Min(1) @Max(100) @Nullable Integer count,
            @Min(0) @Max(100) @Nullable Integer failureLimit,
            @Min(0) @Max(100) @Nullable Integer inconclusiveLimit,
            @Min(1) @Max(1000) @Nullable Integer minSamples,
            @DecimalMin("0") @DecimalMax("1") @Nullable Double minRatio,
            @DecimalMin("0") @Nullable Double maxSeconds,
            @DecimalMin("0") @DecimalMax("1") @Nullable Double quantile,
            @Size(min = 1, max = 4000) @Nullable String query,
            @Valid @Nullable Condition success,
            @Valid @Nullable Condition failure) {

        Duration interval() {
            return Duration.ofSeconds(intervalSeconds == null ? 10 : intervalSeconds);
        }

        int measurements() {
            return count == null ? 1 : count;
        }

        int allowedFailures() {
            return failureLimit == null ? 0 : failureLimit;
        }

        int allowedInconclusive() {
            return inconclusiveLimit == null ? 0 : inconclusiveLimit;
        }

        int samples() {
            return minSamples == null ? 1 : minSamples;
        }

        double ratio() {
            return minRatio == null ? 1 : minRatio;
        }

        double of() {
            return quantile == null ? 0.95 : quantile;
        }
    }
}
