package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Locale;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of rollouts. */
@Component
class RolloutMetrics {
    static final String ROLLOUTS = "gpusnap.rollouts";
    static final String ALLOTMENTS = "gpusnap.rollout.allotments";
    static final String MEASUREMENTS = "gpusnap.rollout.measurements";

    private final MeterRegistry registry;
    private final RolloutStore rollouts;
    private final CountGauges<RolloutPhase> gauges;

    RolloutMetrics(MeterRegistry registry, RolloutStore rollouts) {
        this.registry = registry;
        this.rollouts = rollouts;
        this.gauges = new CountGauges<>(registry, ROLLOUTS, "phase", RolloutPhase.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        gauges.update(rollouts.countByPhase());
    }

    /** A restore got one of the two versions, once that is committed. */
    void allotted(boolean canary) {
        AfterCommit.run(() -> registry.counter(ALLOTMENTS, "role", canary ? "canary" : "stable")
                .increment());
    }

    void measured(AnalysisSpec.Kind kind, Measurement.Verdict verdict) {
        registry.counter(
                        MEASUREMENTS,
                        "kind",
                        kind.name().toLowerCase(Locale.ROOT),
                        "verdict",
                        verdict.name().toLowerCase(Locale.ROOT))
                .increment();
    }
}
