package io.gpusnap.service.rollout;

import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An analysis on its way, or as it ended. A value: what is measured gives the next one.
 *
 * @param step of the rollout, counted from 0
 */
public record AnalysisRun(int step, Instant startedAt, Phase phase, List<MetricRun> metrics) {

    /** Where an analysis is. */
    @Schema(name = "AnalysisPhase")
    public enum Phase {
        RUNNING,
        SUCCESSFUL,
        FAILED,
        INCONCLUSIVE
    }

    /** Measurements of one metric. {@code nextAt} is when the next one is due. */
    public record MetricRun(String name, Phase phase, Instant nextAt, List<Measurement> measurements) {

        private MetricRun with(Measurement next, AnalysisSpec.Metric spec) {
            List<Measurement> all = new ArrayList<>(measurements);
            all.add(next);
            return new MetricRun(name, judge(all, spec), next.at().plus(spec.interval()), List.copyOf(all));
        }

        private static Phase judge(List<Measurement> all, AnalysisSpec.Metric spec) {
            if (count(all, Measurement.Verdict.FAILED) > spec.allowedFailures()) {
                return Phase.FAILED;
            }
            if (count(all, Measurement.Verdict.INCONCLUSIVE) > spec.allowedInconclusive()) {
                return Phase.INCONCLUSIVE;
            }
            return all.size() >= spec.measurements() ? Phase.SUCCESSFUL : Phase.RUNNING;
        }

        private static long count(List<Measurement> all, Measurement.Verdict verdict) {
            return all.stream().filter(one -> one.verdict() == verdict).count();
        }
    }

    static AnalysisRun start(int step, AnalysisSpec spec, Instant now) {
        return new AnalysisRun(
                step,
                now,
                Phase.RUNNING,
                spec.metrics().stream()
                        .map(metric -> new MetricRun(metric.name(), Phase.RUNNING, now, List.of()))
                        .toList());
    }

    /** Metrics that are to be measured now. */
    List<String> due(Instant now) {
        return metrics.stream()
                .filter(metric ->
                        metric.phase() == Phase.RUNNING && !metric.nextAt().isAfter(now))
                .map(MetricRun::name)
                .toList();
    }

    /** When the next measurement is due; empty once it ended. */
    Optional<Instant> nextAt() {
        return metrics.stream()
                .filter(metric -> metric.phase() == Phase.RUNNING)
                .map(MetricRun::nextAt)
                .min(Instant::compareTo);
    }

    /** The same with these measurements, by metric. One failed metric ends it; otherwise all have to end. */
    AnalysisRun with(Map<String, Measurement> measured, AnalysisSpec spec) {
        List<MetricRun> next = new ArrayList<>();
        for (int i = 0; i < metrics.size(); i++) {
            Measurement measurement = measured.get(metrics.get(i).name());
            next.add(
                    measurement == null || metrics.get(i).phase() != Phase.RUNNING
                            ? metrics.get(i)
                            : metrics.get(i).with(measurement, spec.metrics().get(i)));
        }
        return new AnalysisRun(step, startedAt, together(next), List.copyOf(next));
    }

    private static Phase together(List<MetricRun> all) {
        if (all.stream().anyMatch(metric -> metric.phase() == Phase.FAILED)) {
            return Phase.FAILED;
        }
        if (all.stream().anyMatch(metric -> metric.phase() == Phase.RUNNING)) {
            return Phase.RUNNING;
        }
        return all.stream().anyMatch(metric -> metric.phase() == Phase.INCONCLUSIVE)
                ? Phase.INCONCLUSIVE
                : Phase.SUCCESSFUL;
    }

    /** Why it ended as it did, in a sentence. */
    String summary() {
        return metrics.stream()
                .filter(metric ->
                        metric.phase() == phase && !metric.measurements().isEmpty())
                .findFirst()
                .map(metric -> "Metric " + metric.name() + ": "
                        + metric.measurements().getLast().message())
                .orElse("No metric was measured.");
    }
}
