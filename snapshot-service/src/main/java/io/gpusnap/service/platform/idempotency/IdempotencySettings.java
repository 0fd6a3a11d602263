package io.gpusnap.service.platform.idempotency;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.idempotency.*}.
 *
 * @param retention how long the answer to a create is kept for its repeats
 * @param inFlightLimit after this time a create whose process died may be tried again with the same key
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.idempotency", ignoreUnknownFields = false)
public record IdempotencySettings(
        @NotNull @DurationMin(minutes = 1) @DefaultValue("24h")
        Duration retention,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("60s")
        Duration inFlightLimit) {}
