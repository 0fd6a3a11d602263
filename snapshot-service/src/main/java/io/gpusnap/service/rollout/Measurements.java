package io.gpusnap.service.rollout;

import io.gpusnap.service.restore.RolloutResults;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.stereotype.Component;

/** Takes measurements: looks, and judges what it sees. */
@Component
class Measurements {
    private final RolloutResults results;
    private final PrometheusQueries prometheus;
    private final RolloutMetrics metrics;

    Measurements(RolloutResults results, PrometheusQueries prometheus, RolloutMetrics metrics) {
        this.results = results;
        this.prometheus = prometheus;
        this.metrics = metrics;
    }

    /** Not to be called in a transaction: it may ask another service. */
    Measurement take(Rollout rollout, AnalysisSpec.Metric metric, Instant now) throws InterruptedException {
        Measurement taken = switch (metric.kind()) {
            case THAW_SUCCESS_RATE -> successRate(seen(rollout), metric, now);
            case TIME_TO_FIRST_ANSWER -> timeToFirstAnswer(seen(rollout), metric, now);
            case ANSWER_ORACLE -> oracle(seen(rollout), metric, now);
            case PROMETHEUS -> prometheus(prometheus.ask(Objects.requireNonNull(metric.query())), metric, now);
        };
        metrics.measured(metric.kind(), taken.verdict());
        return taken;
    }

    private RolloutResults.Seen seen(Rollout rollout) {
        return results.of(rollout.id(), rollout.canaryVersion(), rollout.startedAt());
    }

    static Measurement successRate(RolloutResults.Seen seen, AnalysisSpec.Metric metric, Instant now) {
        int all = seen.succeeded() + seen.failed();
        if (all < metric.samples()) {
            return nothing(now, all + " thaws ended, " + metric.samples() + " are asked for");
        }
        double ratio = (double) seen.succeeded() / all;
        return judged(
                now,
                ratio >= metric.ratio(),
                ratio,
                seen.succeeded() + " of " + all + " thaws succeeded, at least " + metric.ratio() + " of them must");
    }

    static Measurement timeToFirstAnswer(RolloutResults.Seen seen, AnalysisSpec.Metric metric, Instant now) {
        List<Double> seconds = seen.secondsToAnswer().stream().sorted().toList();
        double limit = Objects.requireNonNull(metric.maxSeconds());
        if (seconds.size() < metric.samples()) {
            return nothing(now, seconds.size() + " processes came back, " + metric.samples() + " are asked for");
        }
        int rank = (int) Math.ceil(metric.of() * seconds.size());
        double value = seconds.get(Math.max(0, rank - 1));
        return judged(
                now,
                value <= limit,
                value,
                String.format(
                        Locale.ROOT,
                        "the first answer took %.3f s at quantile %s, at most %s s are allowed",
                        value,
                        metric.of(),
                        limit));
    }

    static Measurement oracle(RolloutResults.Seen seen, AnalysisSpec.Metric metric, Instant now) {
        if (seen.wrongAnswers() > 0) {
            return judged(
                    now, false, (double) seen.wrongAnswers(), seen.wrongAnswers() + " processes answered wrongly");
        }
        if (seen.rightAnswers() < metric.samples()) {
            return nothing(now, seen.rightAnswers() + " processes were asked, " + metric.samples() + " have to be");
        }
        return judged(now, true, 0.0, "all of " + seen.rightAnswers() + " processes answered rightly");
    }

    static Measurement prometheus(PrometheusQueries.Answer answer, AnalysisSpec.Metric metric, Instant now) {
        return switch (answer) {
            case PrometheusQueries.Nothing nothing -> nothing(now, nothing.why());
            case PrometheusQueries.Value(double value) -> {
                AnalysisSpec.Condition success = metric.success();
                AnalysisSpec.Condition failure = metric.failure();
                if (failure != null && failure.holds(value)) {
                    yield judged(now, false, value, "the query gave " + value + ", which is bad");
                }
                if (success != null && success.holds(value)) {
                    yield judged(now, true, value, "the query gave " + value + ", which is good");
                }
                yield failure == null
                        ? judged(now, false, value, "the query gave " + value + ", which is not good")
                        : new Measurement(
                                now,
                                Measurement.Verdict.INCONCLUSIVE,
                                value,
                                "the query gave " + value + ", which is neither good nor bad");
            }
        };
    }

    private static Measurement judged(Instant now, boolean good, @Nullable Double value, String message) {
        return new Measurement(
                now, good ? Measurement.Verdict.SUCCESSFUL : Measurement.Verdict.FAILED, value, message + ".");
    }

    private static Measurement nothing(Instant now, String why) {
        return new Measurement(now, Measurement.Verdict.INCONCLUSIVE, null, why + ".");
    }
}
