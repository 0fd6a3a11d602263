package io.gpusnap.service.tier;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.sweeps.*}.
 *
 * @param interval how often a shared store is swept
 * @param checkInterval how often it is looked for stores that are due
 * @param grace how long an object that no copy needs is kept
 * @param deleteLimit objects that one sweep deletes
 * @param listLimit objects that one sweep lists
 * @param abortUploadsAfter age from which unfinished uploads are aborted
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.sweeps", ignoreUnknownFields = false)
public record SweepSettings(
        @NotNull @DurationMin(seconds = 1) @DefaultValue("1h")
        Duration interval,

        @NotNull @DurationMin(millis = 100) @DefaultValue("1m")
        Duration checkInterval,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("24h")
        Duration grace,

        @Min(1) @Max(10_000) @DefaultValue("1000") int deleteLimit,
        @Min(1) @Max(100_000) @DefaultValue("20000") int listLimit,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("24h")
        Duration abortUploadsAfter) {}
