package io.gpusnap.service.scaling;

import io.gpusnap.service.platform.config.BadConfigurationException;
import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.scaler.*}.
 *
 * @param enabled whether anything listens
 * @param address beyond loopback only with {@code gpusnap.security.allow-remote}
 * @param port 0: a free one
 * @param certificate PEM, with its chain; with it the scaler speaks TLS. Files are read again when they change
 * @param privateKey PEM, PKCS#8
 * @param clientCa PEM; with it only callers with a certificate of one of these are answered
 * @param staleAfter what was reported longer ago is not known any more
 * @param recheck how often streams look by themselves: for forecasts, which change with time, and for lost notices
 * @param maxStreams more are refused
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.scaler", ignoreUnknownFields = false)
public record ScalerSettings(
        @DefaultValue("false") boolean enabled,
        @NotBlank @DefaultValue("127.0.0.1") String address,
        @Min(0) @Max(65_535) @DefaultValue("6000") int port,
        @Nullable Path certificate,
        @Nullable Path privateKey,
        @Nullable Path clientCa,

        @NotNull @DurationMin(seconds = 1) @DurationMax(hours = 24) @DefaultValue("5m")
        Duration staleAfter,

        @NotNull @DurationMin(millis = 100) @DurationMax(minutes = 10) @DefaultValue("5s")
        Duration recheck,

        @Min(1) @Max(100_000) @DefaultValue("1000") int maxStreams) {

    public ScalerSettings {
        if ((certificate == null) != (privateKey == null)) {
            throw new BadConfigurationException(
                    certificate == null ? "gpusnap.scaler.certificate" : "gpusnap.scaler.private-key",
                    "must be set: certificate and key belong together");
        }
        if (clientCa != null && certificate == null) {
            throw new BadConfigurationException(
                    "gpusnap.scaler.certificate", "must be set: without TLS callers cannot show certificates");
        }
        readable("gpusnap.scaler.certificate", certificate);
        readable("gpusnap.scaler.private-key", privateKey);
        readable("gpusnap.scaler.client-ca", clientCa);
    }

    boolean isTls() {
        return certificate != null;
    }

    private static void readable(String property, @Nullable Path file) {
        if (file != null && !Files.isReadable(file)) {
            throw new BadConfigurationException(property, "cannot read " + file);
        }
    }
}
