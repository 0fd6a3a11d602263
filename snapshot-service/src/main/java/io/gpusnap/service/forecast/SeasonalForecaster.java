package io.gpusnap.service.forecast;

import java.time.Duration;

/**
 * Season, trend and recent deviation. The season is an ensemble: what was seen around the same time of the last seasons, so
 * that its quantiles are as wide as that time of the day is uncertain (analogue ensembles: Delle Monache and others, Monthly
 * Weather Review 141, 2013). The trend is Holt's, damped, over the means of seasons (Gardner and McKenzie, Management Science
 * 31, 1985). What the last steps differ from the season's median is carried on and fades (an autoregressive error, as in
 * Hyndman and Athanasopoulos, Forecasting: Principles and Practice, chapter 10). With less than two seasons of history it
 * says what {@link NaiveForecaster} says.
 */
public final class SeasonalForecaster implements Forecaster {
    private static final int NEIGHBOURS = 2;
    private static final int RECENT_STEPS = 3;
    private static final double FADING_A_STEP = 0.85;
    private static final double LEVEL_WEIGHT = 0.4;
    private static final double SLOPE_WEIGHT = 0.2;
    private static final double DAMPING = 0.7;

    private final Duration season;
    private final int seasons;
    private final Forecaster untilThen = new NaiveForecaster();

    /**
     * A forecaster for demand that repeats.
     *
     * @param season after which it repeats, a multiple of the series' step
     * @param seasons how many of the last ones are looked at, at least 2
     */
    public SeasonalForecaster(Duration season, int seasons) {
        this.season = season;
        this.seasons = seasons;
    }

    @Override
    public String name() {
        return "seasonal";
    }

    @Override
    public Forecast forecast(Series past, int steps) {
        int length = Math.toIntExact(season.dividedBy(past.step()));
        if (past.length() < 2 * length + NEIGHBOURS) {
            return untilThen.forecast(past, steps);
        }
        int known = Math.min(seasons, (past.length() - NEIGHBOURS) / length);
        double trend = trend(past, length, known);
        double deviation = deviation(past, length, known, trend);
        double[][] quantiles = new double[steps][];
        double[] ensemble = new double[known * (2 * NEIGHBOURS + 1)];
        double fading = 1;
        for (int i = 0; i < steps; i++) {
            fading *= FADING_A_STEP;
            quantiles[i] = Samples.quantiles(ensemble, gather(past, past.length() + i, length, known, ensemble));
            double shift = deviation * fading + trend;
            for (int level = 0; level < quantiles[i].length; level++) {
                quantiles[i][level] += shift;
            }
        }
        return new Forecast(past.end(), past.step(), quantiles);
    }

    /** What was seen around the same time of earlier seasons; returns how much there is of it. */
    private static int gather(Series past, int at, int length, int known, double[] into) {
        int count = 0;
        for (int back = 1; back <= known; back++) {
            for (int near = -NEIGHBOURS; near <= NEIGHBOURS; near++) {
                int index = at - back * length + near;
                if (index >= 0 && index < past.length()) {
                    into[count++] = past.at(index);
                }
            }
        }
        return count == 0 ? nothing(past, into) : count;
    }

    /** Further ahead than a season: the newest value has to do. */
    private static int nothing(Series past, double[] into) {
        into[0] = past.last();
        return 1;
    }

    /** The mean of the last steps' distance from their season's median. */
    private static double deviation(Series past, int length, int known, double trend) {
        double[] ensemble = new double[known * (2 * NEIGHBOURS + 1)];
        double sum = 0;
        for (int i = 1; i <= RECENT_STEPS; i++) {
            int at = past.length() - i;
            // One season less may be known from here; what lies before the series is left out by gather.
            double[] seen = Samples.quantiles(ensemble, gather(past.until(at), at, length, known, ensemble));
            sum += past.at(at) - (seen[Forecast.MEDIAN] + trend);
        }
        return sum / RECENT_STEPS;
    }

    /** How far the mean of the season to come is above the mean of those that the ensemble is made of. */
    private static double trend(Series past, int length, int known) {
        double level = mean(past, past.length() - known * length, length);
        double slope = 0;
        double sum = level;
        for (int i = 1; i < known; i++) {
            double mean = mean(past, past.length() - (known - i) * length, length);
            sum += mean;
            double before = level;
            level = LEVEL_WEIGHT * mean + (1 - LEVEL_WEIGHT) * (level + DAMPING * slope);
            slope = SLOPE_WEIGHT * (level - before) + (1 - SLOPE_WEIGHT) * DAMPING * slope;
        }
        return level + DAMPING * slope - sum / known;
    }

    private static double mean(Series past, int from, int length) {
        double sum = 0;
        for (int i = from; i < from + length; i++) {
            sum += past.at(i);
        }
        return sum / length;
    }
}
