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
    /** A wish that stands now is taken for one that goes on for so many steps; then the forecast alone counts. */
    private static final int STEPS_OF_A_WISH = 3;

    private final Demand demand;
    private final Forecasts forecasts;
    private final ForecastSettings settings;

    ForecastOutlook(Demand demand, Forecasts forecasts, ForecastSettings settings) {
        this.demand = demand;
        this.forecasts = forecasts;
        this.settings = settings;
    }

    /** Models that somebody reports demand of, by name. */
    public List<String> models() {
        return demand.models();
    }

    /**
     * Replicas that the model is expected to want in each of so many steps. A forecast believes a sudden rise only by and by; what
     * an autoscaler wants now is no guess, and is wanted in the next steps at least.
     */
    public Forecast ofReplicas(String model, int steps) {
        Forecast expected = forecasts.ofReplicas(model, steps);
        LatestDemand.Desired wish = demand.latest(model).desired();
        return wish == null || wish.age().compareTo(settings.step()) > 0
                ? expected
                : expected.atLeast(wish.replicas(), STEPS_OF_A_WISH);
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
