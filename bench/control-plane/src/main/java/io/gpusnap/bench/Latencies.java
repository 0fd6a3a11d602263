package io.gpusnap.bench;

import java.util.Arrays;

/** Quantiles of measured milliseconds. */
record Latencies(int count, double medianMillis, double p95Millis, double p99Millis, double longestMillis) {
    static Latencies of(double[] millis) {
        double[] sorted = millis.clone();
        Arrays.sort(sorted);
        return new Latencies(
                sorted.length, at(sorted, 0.5), at(sorted, 0.95), at(sorted, 0.99), sorted[sorted.length - 1]);
    }

    private static double at(double[] sorted, double level) {
        return sorted[Math.max(0, (int) Math.ceil(level * sorted.length) - 1)];
    }
}
