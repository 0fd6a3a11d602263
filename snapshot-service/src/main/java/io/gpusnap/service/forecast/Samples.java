package io.gpusnap.service.forecast;

import java.util.Arrays;

/** Quantiles of a handful of numbers. */
final class Samples {
    private Samples() {}

    /** The sample quantiles at {@link Forecast#levels}, on the line between order statistics (type 7 of Hyndman and Fan, 1996). */
    static double[] quantiles(double[] samples, int count) {
        Arrays.sort(samples, 0, count);
        double[] found = new double[Forecast.levelCount()];
        for (int i = 0; i < found.length; i++) {
            double position = Forecast.level(i) * (count - 1);
            int below = (int) position;
            int above = Math.min(below + 1, count - 1);
            found[i] = samples[below] + (position - below) * (samples[above] - samples[below]);
        }
        return found;
    }
}
