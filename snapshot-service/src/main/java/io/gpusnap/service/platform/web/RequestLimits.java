package io.gpusnap.service.platform.web;

import jakarta.validation.constraints.NotNull;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.requests.*}.
 *
 * @param maxBody largest body of a caller's request
 * @param maxNodeBody largest body of a daemon's request; a completion carries a manifest, about 100 bytes a chunk
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.requests", ignoreUnknownFields = false)
public record RequestLimits(
        @NotNull @DefaultValue("1MB") DataSize maxBody,
        @NotNull @DefaultValue("64MB") DataSize maxNodeBody) {}
