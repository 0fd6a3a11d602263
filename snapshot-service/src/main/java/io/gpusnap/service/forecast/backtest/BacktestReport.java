package io.gpusnap.service.forecast.backtest;

import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a backtest found, as it is kept.
 *
 * @param machine what it ran on: results do not depend on it, only their seconds do
 */
record BacktestReport(String program, Map<String, String> machine, PrefetchRules rules, Split split, List<Run> runs) {

    /**
     * Which steps were for what.
     *
     * @param actFromStep from here on every policy acts; before, the forecaster only has history
     * @param testFromStep from here on it counts
     */
    record Split(Duration step, int actFromStep, int testFromStep) {}

    /** One trace. */
    record Run(
            String trace,
            long seed,
            int models,
            int steps,
            int peakReplicas,
            Fleet fleet,
            long bytesOfAllModels,
            List<Score> scores) {}

    /** A Markdown table, one row a trace and policy; several seeds of a shape are one row, by sums. */
    String table() {
        StringBuilder text = new StringBuilder("""
                | trace | seed | policy | scale-ups | hot before they came | prefetched | of it for nothing | kept after cold starts | of it for nothing | median lead |
                | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
                """);
        for (Run run : runs) {
            for (Score score : run.scores()) {
                text.append(String.format(
                        Locale.ROOT,
                        "| %s | %d | %s | %d | %.1f %% | %.1f TB | %s | %.1f TB | %s | %s |%n",
                        run.trace(),
                        run.seed(),
                        score.policy(),
                        score.scaleUps(),
                        100 * score.hotRatio(),
                        score.prefetchedBytes() / 1e12,
                        percent(score.prefetchWasteRatio(), score.prefetchedBytes()),
                        score.keptBytes() / 1e12,
                        percent(score.keptWasteRatio(), score.keptBytes()),
                        score.prefetchedBytes() == 0 ? "–" : Math.round(score.medianLeadSeconds() / 60) + " min"));
            }
        }
        return text.toString();
    }

    private static String percent(double ratio, long of) {
        return of == 0 ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * ratio);
    }
}
