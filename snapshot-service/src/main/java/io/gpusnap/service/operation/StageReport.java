package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How far one stage is.
 *
 * @param name kebab-case, part of the API: {@code preflight}, {@code quiesce}, {@code drain}, …
 * @param startedAt by the daemon's clock
 * @param bytesTotal absent while unknown
 * @param bytesPerSecond current rate
 * @param remainingSeconds absent while unknown
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Stage")
public record StageReport(
        @NotNull @Pattern(regexp = "[a-z][a-z0-9-]{0,59}", message = "must be kebab-case")
        String name,

        @NotNull State state,
        @PositiveOrZero int attempt,
        @Nullable Instant startedAt,
        @Nullable Instant finishedAt,
        @PositiveOrZero @Nullable Long bytesDone,
        @PositiveOrZero @Nullable Long bytesTotal,
        @PositiveOrZero @Nullable Double bytesPerSecond,
        @PositiveOrZero @Nullable Double remainingSeconds) {

    /** States of a stage. COMPENSATED: it ran, at least in part, and was undone. */
    @Schema(name = "StageState")
    public enum State {
        PENDING,
        RUNNING,
        SUCCEEDED,
        FAILED,
        SKIPPED,
        COMPENSATED
    }

    /** How long it took; empty unless it both started and finished. */
    Optional<Duration> duration() {
        return startedAt == null || finishedAt == null
                ? Optional.empty()
                : Optional.of(Duration.between(startedAt, finishedAt)).filter(time -> !time.isNegative());
    }
}
