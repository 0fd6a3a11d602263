package io.gpusnap.service.restore;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.restores.*}.
 *
 * @param maxAttempts how many ways back are tried before a restore is cold
 * @param quarantineAfter a snapshot is quarantined when so many thaws of it failed in a row for a reason that may lie in it
 * @param candidates how many nodes a decision looks at for each snapshot; more, up to 512, while none of them is able and has room
 * @param assumedBytesPerSecond how fast a thaw is taken to be before one was measured
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.restores", ignoreUnknownFields = false)
public record RestoreSettings(
        @Min(1) @Max(10) @DefaultValue("3") int maxAttempts,

        @Min(1) @Max(100) @DefaultValue("3") int quarantineAfter,

        @Min(1) @Max(512) @DefaultValue("32") int candidates,

        @Min(1_000_000) @DefaultValue("1000000000") long assumedBytesPerSecond) {}
