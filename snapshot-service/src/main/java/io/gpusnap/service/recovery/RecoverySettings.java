package io.gpusnap.service.recovery;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.recovery.*}.
 *
 * @param maxInFlight how many restores for lost processes are on their way at a time, of all instances together
 * @param checkInterval how often lost processes are looked for
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.recovery", ignoreUnknownFields = false)
public record RecoverySettings(
        @Min(1) @Max(1000) @DefaultValue("4") int maxInFlight,

        @NotNull @DurationMin(millis = 10) @DefaultValue("1s")
        Duration checkInterval) {}
