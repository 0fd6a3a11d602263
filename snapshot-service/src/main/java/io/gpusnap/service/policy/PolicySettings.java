package io.gpusnap.service.policy;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.policies.*}.
 *
 * @param interval how often a policy is carried out
 * @param forecastHorizon how far ahead a forecast is asked
 * @param standInAfter how long a store may not answer before what it has is made anew elsewhere
 * @param movesPerStore transfers into one store at the same time
 * @param movesPerNode transfers by one node at the same time
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.policies", ignoreUnknownFields = false)
public record PolicySettings(
        @NotNull @DurationMin(millis = 100) @DefaultValue("30s")
        Duration interval,

        @NotNull @DurationMin(minutes = 1) @DefaultValue("30m")
        Duration forecastHorizon,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("15m")
        Duration standInAfter,

        @Min(1) @Max(1000) @DefaultValue("8") int movesPerStore,
        @Min(1) @Max(100) @DefaultValue("2") int movesPerNode) {}
