package io.gpusnap.service.scaling;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.Forecasts;
import io.gpusnap.service.platform.problem.ApiException;
import java.util.OptionalDouble;

/** How much a trigger's signal is. */
class ScalerValues {
    private final Demand demand;
    private final Forecasts forecasts;
    private final ScalerSettings settings;

    ScalerValues(Demand demand, Forecasts forecasts, ScalerSettings settings) {
        this.demand = demand;
        this.forecasts = forecasts;
        this.settings = settings;
    }

    /**
     * The last report's value, or the forecast's if that is greater and was asked for. Empty if nobody has reported lately:
     * that is not the same as nobody wanting the model, and nothing is scaled down for it.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    OptionalDouble of(ScalerQuery query) {
        OptionalDouble now = demand.latest(query.model()).value(query.signal(), settings.staleAfter());
        if (now.isEmpty() || query.ahead().isZero()) {
            return now;
        }
        double expected =
                forecasts.expected(query.model(), query.signal(), query.ahead()).highest(query.quantile());
        return OptionalDouble.of(Math.max(now.getAsDouble(), expected));
    }
}
