package io.gpusnap.service.snapshot;

import jakarta.validation.constraints.NotNull;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.deletions.*}.
 *
 * @param checkInterval how often it is looked for deletions that nobody is at
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.deletions", ignoreUnknownFields = false)
public record DeletionSettings(
        @NotNull @DurationMin(millis = 10) @DefaultValue("5s")
        Duration checkInterval) {}
