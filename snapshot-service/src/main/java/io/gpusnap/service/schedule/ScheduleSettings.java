package io.gpusnap.service.schedule;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.schedule.*}.
 *
 * @param checkInterval how often each instance looks for pools that are due
 * @param interval how often a pool is decided on, by all instances together
 * @param aging waiting this long is worth one level of priority
 * @param maxActions that one round may bring
 * @param retention decisions are kept this long
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.schedule", ignoreUnknownFields = false)
public record ScheduleSettings(
        @NotNull @DurationMin(millis = 10) @DefaultValue("1s")
        Duration checkInterval,

        @NotNull @DurationMin(millis = 100) @DefaultValue("5s")
        Duration interval,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("5m")
        Duration aging,

        @Min(1) @Max(10_000) @DefaultValue("50") int maxActions,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("7d")
        Duration retention) {}
