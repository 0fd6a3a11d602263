package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.config.BadConfigurationException;
import jakarta.validation.constraints.NotNull;
import java.net.URI;
import java.time.Duration;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Settings {@code gpusnap.rollouts.*}.
 *
 * @param checkInterval how often each instance looks for a rollout that has something to do
 * @param lease so long a rollout is the instance's that took it
 * @param prometheusUrl where analyses ask; absent where there is no Prometheus
 * @param prometheusTimeout so long an answer may take
 */
@Validated
@ConfigurationProperties(prefix = "gpusnap.rollouts", ignoreUnknownFields = false)
public record RolloutSettings(
        @NotNull @DurationMin(millis = 10) @DefaultValue("1s")
        Duration checkInterval,

        @NotNull @DurationMin(seconds = 1) @DefaultValue("1m")
        Duration lease,

        @Nullable URI prometheusUrl,

        @NotNull @DurationMin(millis = 100) @DefaultValue("5s")
        Duration prometheusTimeout) {

    public RolloutSettings {
        if (prometheusUrl != null
                && (prometheusUrl.getHost() == null
                        || !("http".equals(prometheusUrl.getScheme()) || "https".equals(prometheusUrl.getScheme())))) {
            throw new BadConfigurationException(
                    "gpusnap.rollouts.prometheus-url", "must be an http or https address, is " + prometheusUrl);
        }
    }
}
