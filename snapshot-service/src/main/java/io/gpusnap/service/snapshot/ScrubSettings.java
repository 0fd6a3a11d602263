package io.gpusnap.service.snapshot;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.scrubs.*}.
 *
 * @param every every copy is read whole and compared at least this often
 * @param retryAfter a copy that a scrub could not read has its next turn after this
 * @param checkInterval how often it is looked for copies that are due
 * @param copiesAtOnce copies of one operation
 * @param bytesPerSecond upper bound of the rate, for each store
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.scrubs", ignoreUnknownFields = false)
public record ScrubSettings(
        @NotNull @DurationMin(minutes = 1) @DefaultValue("30d")
        Duration every,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("1h")
        Duration retryAfter,

        @NotNull @DurationMin(millis = 100) @DefaultValue("1m")
        Duration checkInterval,

        @Min(1) @Max(1000) @DefaultValue("10") int copiesAtOnce,

        @NotNull @DefaultValue("50MB") DataSize bytesPerSecond) {}
