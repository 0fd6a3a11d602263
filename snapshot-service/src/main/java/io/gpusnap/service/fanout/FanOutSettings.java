package io.gpusnap.service.fanout;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.fan-out.*}.
 *
 * @param enabled false: nodes hear nothing of each other, and each reads the stores by itself
 * @param refresh how often a daemon is told to ask again
 * @param tokenLifetime of what it shows to its peers; a part of it is over when the daemon asks again
 * @param recent how long after a thaw a node may still have the chunks in memory
 * @param mostPeers that one daemon is told of
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.fan-out", ignoreUnknownFields = false)
public record FanOutSettings(
        @DefaultValue("true") boolean enabled,

        @NotNull @DurationMin(seconds = 1) @DurationMax(minutes = 1) @DefaultValue("1s")
        Duration refresh,

        @NotNull @DurationMin(seconds = 10) @DurationMax(hours = 1) @DefaultValue("2m")
        Duration tokenLifetime,

        @NotNull @DurationMin(seconds = 0) @DefaultValue("10m")
        Duration recent,

        @Min(1) @Max(1000) @DefaultValue("64") int mostPeers) {}
