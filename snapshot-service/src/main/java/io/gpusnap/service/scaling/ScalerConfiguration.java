package io.gpusnap.service.scaling;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.Forecasts;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Optional;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ScalerSettings.class)
class ScalerConfiguration {

    @Configuration(proxyBeanMethods = false)
    @ConditionalOnBooleanProperty("gpusnap.scaler.enabled")
    static class Enabled {
        @Bean
        ScalerMetrics scalerMetrics(MeterRegistry registry) {
            return new ScalerMetrics(registry);
        }

        @Bean
        ScalerValues scalerValues(Demand demand, Forecasts forecasts, ScalerSettings settings) {
            return new ScalerValues(demand, forecasts, settings);
        }

        @Bean
        ActivityStreams activityStreams(ScalerValues values, ScalerSettings settings, ScalerMetrics metrics) {
            return new ActivityStreams(values, settings, metrics);
        }

        @Bean
        ScalerServer scalerServer(
                ScalerValues values,
                ActivityStreams streams,
                ScalerSettings settings,
                ScalerMetrics metrics,
                Optional<ModelAudience> audience) {
            return new ScalerServer(
                    settings, new ExternalScaler(values, streams, settings, audience), metrics, streams::end);
        }
    }
}
