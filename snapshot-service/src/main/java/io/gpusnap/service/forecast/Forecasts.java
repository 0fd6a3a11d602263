package io.gpusnap.service.forecast;

import io.gpusnap.service.platform.problem.ApiException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.springframework.stereotype.Service;

/** Forecasts of models' demand, made when they are asked for. */
@Service
public class Forecasts {
    private static final Duration COMPARED_AHEAD = Duration.ofHours(1);
    private static final int ORIGINS = 24;

    private final Demand demand;
    private final Forecaster forecaster;
    private final Forecaster baseline = new NaiveForecaster();
    private final ForecastSettings settings;

    Forecasts(Demand demand, Forecaster forecaster, ForecastSettings settings) {
        this.demand = demand;
        this.forecaster = forecaster;
        this.settings = settings;
    }

    /**
     * A forecast and what to think of it.
     *
     * @param accuracy of the forecaster and of the naive baseline on the last season; empty with too short a history
     */
    public record View(Series history, String forecaster, Forecast forecast, List<Accuracy> accuracy) {}

    /**
     * Looks ahead.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    public View of(String model, Signal signal, Duration horizon) {
        Series history = demand.history(model, signal);
        return new View(
                history,
                forecaster.name(),
                forecaster.forecast(history, steps(horizon)),
                Stream.of(forecaster, baseline)
                        .map(one -> accuracy(one, history))
                        .flatMap(Optional::stream)
                        .toList());
    }

    /** Replicas that the model is expected to want. */
    public Forecast ofReplicas(String model, Duration horizon) {
        return expected(model, Signal.REPLICAS, horizon);
    }

    /**
     * The forecast alone, without a judgement of it.
     *
     * @throws ApiException MODEL_NOT_FOUND
     */
    public Forecast expected(String model, Signal signal, Duration horizon) {
        return forecaster.forecast(demand.history(model, signal), steps(horizon));
    }

    /** On the last season of the model's replicas; empty with too short a history. */
    Optional<Accuracy> accuracy(String model) {
        return accuracy(forecaster, demand.history(model, Signal.REPLICAS));
    }

    private Optional<Accuracy> accuracy(Forecaster one, Series history) {
        int season = steps(settings.season());
        return Accuracy.of(
                one, history, season, Math.max(1, season / ORIGINS), Math.min(season, steps(COMPARED_AHEAD)));
    }

    private int steps(Duration time) {
        return Math.max(1, Math.toIntExact(time.dividedBy(settings.step())));
    }
}
