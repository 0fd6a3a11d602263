package io.gpusnap.service.operation;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.operations.*}.
 *
 * @param maxAttempts how often an operation is handed out before it is given up
 * @param claimRecheck how often a waiting claim looks for work that another replica queued
 * @param checkInterval how often used-up operations are looked for
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.operations", ignoreUnknownFields = false)
public record OperationSettings(
        @Min(1) @Max(100) @DefaultValue("3") int maxAttempts,

        @NotNull @DurationMin(millis = 10) @DefaultValue("250ms")
        Duration claimRecheck,

        @NotNull @DurationMin(millis = 10) @DefaultValue("2s")
        Duration checkInterval) {}
