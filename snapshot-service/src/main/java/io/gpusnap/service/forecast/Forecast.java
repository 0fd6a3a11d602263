package io.gpusnap.service.forecast;

import java.time.Duration;
import java.time.Instant;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/** What is expected, as a distribution for each step to come. Never below 0, and quantiles never cross. Immutable. */
public final class Forecast {
    /** From 0.05 to 0.95: of counts, which jump from level to level, few levels would blur the probabilities. */
    private static final double[] LEVELS =
            IntStream.rangeClosed(1, 19).mapToDouble(i -> i / 20.0).toArray();

    static final int MEDIAN = 9;

    private final Instant from;
    private final Duration step;
    private final double[][] quantiles;
    /** What each step reaches for certain; 0 where that is not known. */
    private final double[] sure;

    /** @param quantiles for each step its values at {@link #levels}, in their order */
    Forecast(Instant from, Duration step, double[][] quantiles) {
        this(from, step, quantiles, new double[quantiles.length]);
    }

    private Forecast(Instant from, Duration step, double[][] quantiles, double[] sure) {
        this.from = from;
        this.step = step;
        this.sure = sure;
        this.quantiles = new double[quantiles.length][LEVELS.length];
        for (int i = 0; i < quantiles.length; i++) {
            double least = 0;
            for (int level = 0; level < LEVELS.length; level++) {
                least = Math.max(least, quantiles[i][level]);
                this.quantiles[i][level] = least;
            }
        }
    }

    /** The same where it is known, and not guessed, that the first steps reach this value. */
    Forecast atLeast(double value, int steps) {
        double[][] raised = new double[quantiles.length][];
        double[] sure = new double[quantiles.length];
        for (int i = 0; i < quantiles.length; i++) {
            double least = i < steps ? value : 0;
            sure[i] = least;
            raised[i] = DoubleStream.of(quantiles[i])
                    .map(quantile -> Math.max(quantile, least))
                    .toArray();
        }
        return new Forecast(from, step, raised, sure);
    }

    /** The levels that every step has a value at, ascending. */
    public static double[] levels() {
        return LEVELS.clone();
    }

    static int levelCount() {
        return LEVELS.length;
    }

    static double level(int index) {
        return LEVELS[index];
    }

    public int length() {
        return quantiles.length;
    }

    /** When the step begins; step 0 is the first that is not observed yet. */
    public Instant at(int index) {
        return from.plus(step.multipliedBy(index));
    }

    public Duration step() {
        return step;
    }

    /** The value that demand of the step does not pass with this probability; between two levels, on the line. */
    public double quantile(int index, double level) {
        double[] values = quantiles[index];
        if (level <= LEVELS[0]) {
            return values[0];
        }
        for (int i = 1; i < LEVELS.length; i++) {
            if (level <= LEVELS[i]) {
                double share = (level - LEVELS[i - 1]) / (LEVELS[i] - LEVELS[i - 1]);
                return values[i - 1] + share * (values[i] - values[i - 1]);
            }
        }
        return values[LEVELS.length - 1];
    }

    /** The highest of all steps' values that are not passed with this probability. */
    public double highest(double level) {
        return IntStream.range(0, length())
                .mapToDouble(step -> quantile(step, level))
                .max()
                .orElse(0);
    }

    /**
     * How probable it is that demand of the step reaches the value: between two levels on the line, and outside of them
     * the outermost level, since no more is known of the tails, unless it is certain. For a count ask half below it: 3.5 for "at least 4".
     */
    public double probabilityOf(int index, double value) {
        double[] values = quantiles[index];
        if (value <= sure[index] && sure[index] > 0) {
            return 1;
        }
        if (value <= values[0]) {
            return 1 - LEVELS[0];
        }
        for (int i = 1; i < LEVELS.length; i++) {
            if (value <= values[i]) {
                double share = (value - values[i - 1]) / (values[i] - values[i - 1]);
                return 1 - (LEVELS[i - 1] + share * (LEVELS[i] - LEVELS[i - 1]));
            }
        }
        return 0;
    }
}
