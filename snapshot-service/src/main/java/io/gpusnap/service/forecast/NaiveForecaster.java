package io.gpusnap.service.forecast;

/**
 * The baseline: what is now goes on. How far it may be off is what it was off so far, over the same number of steps. A
 * forecaster that is not better than this one is of no use.
 */
public final class NaiveForecaster implements Forecaster {
    private static final int LONGEST_LOOK_BACK = 600;

    @Override
    public String name() {
        return "naive";
    }

    @Override
    public Forecast forecast(Series past, int steps) {
        double[][] quantiles = new double[steps][];
        double[] spread = new double[Forecast.levelCount()];
        for (int i = 0; i < steps; i++) {
            int ahead = i + 1;
            if (Integer.bitCount(ahead) == 1 || i == 0) {
                spread = changes(past, ahead, spread);
            }
            quantiles[i] = new double[spread.length];
            for (int level = 0; level < spread.length; level++) {
                quantiles[i][level] = past.last() + spread[level];
            }
        }
        return new Forecast(past.end(), past.step(), quantiles);
    }

    /** Quantiles of past changes over so many steps; asked for powers of two only, the steps between take the one before. */
    private static double[] changes(Series past, int ahead, double[] otherwise) {
        int count = Math.min(past.length() - ahead, LONGEST_LOOK_BACK);
        if (count < 1) {
            return otherwise;
        }
        double[] changes = new double[count];
        for (int i = 0; i < count; i++) {
            int at = past.length() - 1 - i;
            changes[i] = past.at(at) - past.at(at - ahead);
        }
        return Samples.quantiles(changes, count);
    }
}
