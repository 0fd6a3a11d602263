package io.gpusnap.service.forecast;

import io.gpusnap.service.platform.config.BadConfigurationException;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.forecast.*}.
 *
 * @param step demand is kept and forecast in steps of this length; a change begins a new history
 * @param season after which demand repeats
 * @param retention demand is forgotten after this time
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.forecast", ignoreUnknownFields = false)
public record ForecastSettings(
        @NotNull @DurationMin(seconds = 1) @DurationMax(hours = 1) @DefaultValue("5m")
        Duration step,

        @NotNull @DurationMin(minutes = 1) @DurationMax(days = 7) @DefaultValue("24h")
        Duration season,

        @NotNull @DurationMin(minutes = 2) @DefaultValue("15d")
        Duration retention) {

    public ForecastSettings {
        if (step != null && (step.toMillis() % 1000 != 0)) {
            throw new BadConfigurationException("gpusnap.forecast.step", "must be whole seconds, is " + step);
        }
        if (step != null && season != null && season.toMillis() % step.toMillis() != 0) {
            throw new BadConfigurationException(
                    "gpusnap.forecast.season",
                    "must be a multiple of gpusnap.forecast.step (" + step + "), is " + season);
        }
        if (season != null && retention != null && retention.compareTo(season.multipliedBy(2)) < 0) {
            throw new BadConfigurationException(
                    "gpusnap.forecast.retention",
                    "must be at least twice gpusnap.forecast.season (" + season + "), is " + retention);
        }
    }

    /** How many whole seasons are kept. */
    int seasons() {
        return Math.toIntExact(Math.min(retention.dividedBy(season), 100));
    }
}
