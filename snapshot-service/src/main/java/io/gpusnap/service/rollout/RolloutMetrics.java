package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of rollouts. */
@Component
class RolloutMetrics {
    static final String ROLLOUTS = "gpusnap.rollouts";
    static final String WEIGHT = "gpusnap.rollout.weight.ratio";
    static final String ALLOTMENTS = "gpusnap.rollout.allotments";
    static final String MEASUREMENTS = "gpusnap.rollout.measurements";

    private final MeterRegistry registry;
    private final RolloutStore rollouts;
    private final CountGauges<RolloutPhase> gauges;
    private volatile Map<RolloutPhase, Double> weights = Map.of();

    RolloutMetrics(MeterRegistry registry, RolloutStore rollouts) {
        this.registry = registry;
        this.rollouts = rollouts;
        this.gauges = new CountGauges<>(registry, ROLLOUTS, "phase", RolloutPhase.class);
        Arrays.stream(RolloutPhase.values())
                .filter(RolloutPhase::isActive)
                .forEach(phase -> Gauge.builder(WEIGHT, () -> weights.getOrDefault(phase, 0.0))
                        .tag("phase", phase.name().toLowerCase(Locale.ROOT))
                        .register(registry));
        // There from the start: a rate over a meter that appears with its first count misses that one.
        allotments(true);
        allotments(false);
        for (AnalysisSpec.Kind kind : AnalysisSpec.Kind.values()) {
            for (Measurement.Verdict verdict : Measurement.Verdict.values()) {
                measurements(kind, verdict);
            }
        }
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        gauges.update(rollouts.countByPhase());
        weights = rollouts.weightByPhase();
    }

    /** A restore got one of the two versions, once that is committed. */
    void allotted(boolean canary) {
        AfterCommit.run(() -> allotments(canary).increment());
    }

    void measured(AnalysisSpec.Kind kind, Measurement.Verdict verdict) {
        measurements(kind, verdict).increment();
    }

    private Counter allotments(boolean canary) {
        return registry.counter(ALLOTMENTS, "role", canary ? "canary" : "stable");
    }

    private Counter measurements(AnalysisSpec.Kind kind, Measurement.Verdict verdict) {
        return registry.counter(
                MEASUREMENTS,
                "kind",
                kind.name().toLowerCase(Locale.ROOT),
                "verdict",
                verdict.name().toLowerCase(Locale.ROOT));
    }
}
