package io.gpusnap.service.security;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.security.*}.
 *
 * @param allowRemote must be true for a {@code server.address} beyond loopback
 * @param accessTokenFile where the access token is kept; by default {@code access-token} in the data directory. Several
 *     instances on one database share one file's content
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.security", ignoreUnknownFields = false)
public record SecuritySettings(
        @DefaultValue("false") boolean allowRemote,
        @Nullable Path accessTokenFile) {}
