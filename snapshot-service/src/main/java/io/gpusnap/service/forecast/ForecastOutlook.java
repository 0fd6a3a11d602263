package io.gpusnap.service.forecast;

import io.gpusnap.service.policy.DemandOutlook;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.springframework.stereotype.Component;

/** Tells tier policies what the forecast expects: the highest 0.75 quantile of the time that they look ahead. */
@Component
class ForecastOutlook implements DemandOutlook {
    private static final double LEVEL = 0.75;

    private final Demand demand;
    private final Forecasts forecasts;

    ForecastOutlook(Demand demand, Forecasts forecasts) {
        this.demand = demand;
        this.forecasts = forecasts;
    }

    @Override
    public Map<String, Double> expectedReplicas(Duration within) {
        Map<String, Double> expected = new HashMap<>();
        for (String model : demand.models()) {
            expected.put(model, forecasts.ofReplicas(model, within).highest(LEVEL));
        }
        return expected;
    }
}
