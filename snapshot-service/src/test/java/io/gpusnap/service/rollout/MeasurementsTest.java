package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.restore.RolloutResults;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class MeasurementsTest {
    private static final Instant NOW = Instant.EPOCH;

    private static AnalysisSpec.Metric metric(
            AnalysisSpec.Kind kind,
            Integer samples,
            Double ratio,
            Double seconds,
            AnalysisSpec.Condition success,
            AnalysisSpec.Condition failure) {
        return new AnalysisSpec.Metric(
                "m", kind, null, null, null, null, samples, ratio, seconds, null, "q", success, failure);
    }

    private static RolloutResults.Seen seen(int succeeded, int failed, int right, int wrong, Double... seconds) {
        return new RolloutResults.Seen(succeeded, failed, right, wrong, List.of(seconds));
    }

    @Test
    void theSuccessRateIsJudgedOnceThereAreSamples() {
        AnalysisSpec.Metric metric = metric(AnalysisSpec.Kind.THAW_SUCCESS_RATE, 4, 0.75, null, null, null);

        assertThat(Measurements.successRate(seen(3, 0, 0, 0), metric, NOW).verdict())
                .isEqualTo(Measurement.Verdict.INCONCLUSIVE);
        assertThat(Measurements.successRate(seen(3, 1, 0, 0), metric, NOW).verdict())
                .isEqualTo(Measurement.Verdict.SUCCESSFUL);
        assertThat(Measurements.successRate(seen(2, 2, 0, 0), metric, NOW).verdict())
                .isEqualTo(Measurement.Verdict.FAILED);
    }

    @Test
    void theTimeToTheFirstAnswerIsJudgedAtItsQuantile() {
        AnalysisSpec.Metric metric = metric(AnalysisSpec.Kind.TIME_TO_FIRST_ANSWER, null, null, 2.0, null, null);

        assertThat(Measurements.timeToFirstAnswer(seen(3, 0, 3, 0, 1.0, 2.0, 1.5), metric, NOW)
                        .verdict())
                .isEqualTo(Measurement.Verdict.SUCCESSFUL);
        assertThat(Measurements.timeToFirstAnswer(seen(3, 0, 3, 0, 1.0, 2.1, 1.5), metric, NOW)
                        .value())
                .isEqualTo(2.1);
        assertThat(Measurements.timeToFirstAnswer(seen(3, 0, 3, 0, 1.0, 2.1, 1.5), metric, NOW)
                        .verdict())
                .isEqualTo(Measurement.Verdict.FAILED);
    }

    @Test
    void oneWrongAnswerIsOneTooMany() {
        AnalysisSpec.Metric metric = metric(AnalysisSpec.Kind.ANSWER_ORACLE, 2, null, null, null, null);

        assertThat(Measurements.oracle(seen(9, 1, 9, 1), metric, NOW).verdict()).isEqualTo(Measurement.Verdict.FAILED);
        assertThat(Measurements.oracle(seen(1, 0, 1, 0), metric, NOW).verdict())
                .isEqualTo(Measurement.Verdict.INCONCLUSIVE);
        assertThat(Measurements.oracle(seen(2, 0, 2, 0), metric, NOW).verdict())
                .isEqualTo(Measurement.Verdict.SUCCESSFUL);
    }

    @Test
    void aQueryIsGoodBadOrNeither() {
        AnalysisSpec.Condition good = new AnalysisSpec.Condition(AnalysisSpec.Comparison.LT, 1);
        AnalysisSpec.Condition bad = new AnalysisSpec.Condition(AnalysisSpec.Comparison.GE, 5);
        AnalysisSpec.Metric both = metric(AnalysisSpec.Kind.PROMETHEUS, null, null, null, good, bad);
        AnalysisSpec.Metric one = metric(AnalysisSpec.Kind.PROMETHEUS, null, null, null, good, null);

        assertThat(verdict(0.5, both)).isEqualTo(Measurement.Verdict.SUCCESSFUL);
        assertThat(verdict(5, both)).isEqualTo(Measurement.Verdict.FAILED);
        assertThat(verdict(3, both)).isEqualTo(Measurement.Verdict.INCONCLUSIVE);
        assertThat(verdict(3, one)).isEqualTo(Measurement.Verdict.FAILED);
        assertThat(Measurements.prometheus(new PrometheusQueries.Nothing("no series"), one, NOW)
                        .verdict())
                .isEqualTo(Measurement.Verdict.INCONCLUSIVE);
    }

    private static Measurement.Verdict verdict(double value, AnalysisSpec.Metric metric) {
        return Measurements.prometheus(new PrometheusQueries.Value(value), metric, NOW)
                .verdict();
    }
}
