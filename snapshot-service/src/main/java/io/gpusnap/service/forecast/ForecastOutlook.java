package io.gpusnap.service.forecast;

import io.gpusnap.service.policy.DemandOutlook;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.springframework.stereotype.Component;

/**
 * Tells tier policies what the forecast expects: the highest 0.75 quantile of the time that they look ahead; and whoever plans
 * the whole of it.
 */
@Component
public class ForecastOutlook implements DemandOutlook {
    private static final double LEVEL = 0.75;

    private final Demand demand;
    private final Forecasts forecasts;

    ForecastOutlook(Demand demand, Forecasts forecasts) {
        this.demand = demand;
        this.forecasts = forecasts;
    }

    /** Models that somebody reports demand of, by name. */
    public List<String> models() {
        return demand.models();
    }

    /** Replicas that the model is expected to want in each of so many steps. */
    public Forecast ofReplicas(String model, int steps) {
        return forecasts.ofReplicas(model, steps);
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
