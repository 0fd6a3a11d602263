package io.gpusnap.service.forecast.web;

import io.gpusnap.service.forecast.Accuracy;
import io.gpusnap.service.forecast.Forecast;
import io.gpusnap.service.forecast.Forecasts;
import io.gpusnap.service.forecast.Signal;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A forecast of one model's demand.
 *
 * @param forecaster who made it
 * @param observedSteps length of the history that it was made from
 * @param latest the newest value of the history
 * @param points one a step
 * @param accuracy of the forecaster and of the naive baseline over the last season; empty while the history is too short
 */
@Schema(name = "Forecast")
record ForecastResource(
        String model,
        Signal signal,
        String forecaster,
        long stepSeconds,
        int observedSteps,
        double latest,
        List<Point> points,
        List<AccuracyResource> accuracy) {

    /** What is expected of the step that begins then: quantiles of its distribution. */
    @Schema(name = "ForecastPoint")
    record Point(Instant at, double p10, double p50, double p90) {

        static Point of(Forecast forecast, int step) {
            return new Point(
                    forecast.at(step),
                    forecast.quantile(step, 0.1),
                    forecast.quantile(step, 0.5),
                    forecast.quantile(step, 0.9));
        }
    }

    /**
     * How wrong it was on the model's own past.
     *
     * @param mape mean absolute percentage error as a ratio, over steps that had demand
     * @param wape sum of absolute errors over the sum of demand
     * @param medianLoss mean quantile loss at 0.5
     * @param upperLoss mean quantile loss at 0.9
     * @param upperCoverage share of steps that were not above the 0.9 quantile
     */
    @Schema(name = "ForecastAccuracy")
    record AccuracyResource(
            String forecaster,
            int comparisons,
            @Nullable Double mape,
            @Nullable Double wape,
            double medianLoss,
            double upperLoss,
            double upperCoverage) {

        static AccuracyResource of(Accuracy accuracy) {
            return new AccuracyResource(
                    accuracy.forecaster(),
                    accuracy.comparisons(),
                    accuracy.mape().orElse(null),
                    accuracy.wape().orElse(null),
                    accuracy.medianLoss(),
                    accuracy.upperLoss(),
                    accuracy.upperCoverage());
        }
    }

    static ForecastResource of(String model, Signal signal, Forecasts.View view) {
        return new ForecastResource(
                model,
                signal,
                view.forecaster(),
                view.forecast().step().toSeconds(),
                view.history().length(),
                view.history().last(),
                IntStream.range(0, view.forecast().length())
                        .mapToObj(step -> Point.of(view.forecast(), step))
                        .toList(),
                view.accuracy().stream().map(AccuracyResource::of).toList());
    }
}
