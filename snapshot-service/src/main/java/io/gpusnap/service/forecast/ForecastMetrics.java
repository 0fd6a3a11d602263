package io.gpusnap.service.forecast;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Optional;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of forecasts, over all models; of one model its forecast's answer tells. */
@Component
class ForecastMetrics {
    static final String ERROR = "gpusnap.forecast.error.ratio";
    static final String COVERAGE = "gpusnap.forecast.coverage.ratio";
    static final String MODELS = "gpusnap.forecast.models";

    private final Demand demand;
    private final Forecasts forecasts;
    private volatile List<Accuracy> latest = List.of();

    ForecastMetrics(Demand demand, Forecasts forecasts, Forecaster forecaster, MeterRegistry registry) {
        this.demand = demand;
        this.forecasts = forecasts;
        Gauge.builder(
                        ERROR,
                        () -> mean(latest.stream()
                                .map(Accuracy::wape)
                                .flatMap(Optional::stream)
                                .toList()))
                .tag("forecaster", forecaster.name())
                .register(registry);
        Gauge.builder(
                        COVERAGE,
                        () -> mean(latest.stream().map(Accuracy::upperCoverage).toList()))
                .tag("forecaster", forecaster.name())
                .register(registry);
        Gauge.builder(MODELS, () -> latest.size()).register(registry);
    }

    /** Compares what was forecast over the last season with what came, for every model with enough history. */
    @Scheduled(fixedDelayString = "PT5M", initialDelayString = "PT10S")
    void measure() {
        latest = demand.models().stream()
                .map(forecasts::accuracy)
                .flatMap(Optional::stream)
                .toList();
    }

    /** Not a number while there is nothing to tell. */
    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}
