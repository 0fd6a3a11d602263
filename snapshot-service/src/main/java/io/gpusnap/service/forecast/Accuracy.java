package io.gpusnap.service.forecast;

import java.util.Optional;

/**
 * How wrong a forecaster was on a series' own past: it is asked again and again with what was known then, and its answers
 * are compared with what came (rolling origin).
 *
 * @param comparisons steps that were forecast and then observed
 * @param mape mean absolute percentage error of the median, as a ratio, over steps that had demand; empty when none had
 * @param wape sum of absolute errors of the median over the sum of demand; empty when there was no demand
 * @param medianLoss mean quantile (pinball) loss at 0.5, in the signal's unit: half of the mean absolute error
 * @param upperLoss mean quantile loss at 0.9
 * @param upperCoverage share of steps whose demand was not above the 0.9 quantile; 0.9 would be perfect
 */
public record Accuracy(
        String forecaster,
        int comparisons,
        Optional<Double> mape,
        Optional<Double> wape,
        double medianLoss,
        double upperLoss,
        double upperCoverage) {
    private static final double UPPER = 0.9;

    /**
     * Asks the forecaster at every {@code every}-th of the last {@code steps} steps.
     *
     * @param ahead how many steps each answer is compared over
     * @return empty when the series is too short for one comparison
     */
    public static Optional<Accuracy> of(Forecaster forecaster, Series series, int steps, int every, int ahead) {
        Tally tally = new Tally();
        int first = Math.max(1, series.length() - steps);
        for (int origin = first; origin + ahead <= series.length(); origin += every) {
            Forecast forecast = forecaster.forecast(series.until(origin), ahead);
            for (int i = 0; i < ahead; i++) {
                tally.add(series.at(origin + i), forecast.quantile(i, 0.5), forecast.quantile(i, UPPER));
            }
        }
        return tally.count == 0 ? Optional.empty() : Optional.of(tally.result(forecaster.name()));
    }

    /** Of a value against a quantile of its distribution: what is above costs the level, what is below the rest. */
    static double loss(double actual, double quantile, double level) {
        return actual >= quantile ? level * (actual - quantile) : (1 - level) * (quantile - actual);
    }

    private static final class Tally {
        private int count;
        private int withDemand;
        private int covered;
        private double demand;
        private double error;
        private double ratios;
        private double median;
        private double upper;

        void add(double actual, double middle, double high) {
            count++;
            demand += actual;
            error += Math.abs(actual - middle);
            median += loss(actual, middle, 0.5);
            upper += loss(actual, high, UPPER);
            if (actual <= high) {
                covered++;
            }
            if (actual > 0) {
                withDemand++;
                ratios += Math.abs(actual - middle) / actual;
            }
        }

        Accuracy result(String forecaster) {
            return new Accuracy(
                    forecaster,
                    count,
                    withDemand == 0 ? Optional.empty() : Optional.of(ratios / withDemand),
                    demand == 0 ? Optional.empty() : Optional.of(error / demand),
                    median / count,
                    upper / count,
                    (double) covered / count);
        }
    }
}
