package io.gpusnap.service.forecast;

import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

@Configuration(proxyBeanMethods = false)
@EnableConfigurationProperties(ForecastSettings.class)
class ForecastConfiguration {
    @Bean
    Forecaster forecaster(ForecastSettings settings) {
        return new SeasonalForecaster(settings.season(), settings.seasons());
    }
}
