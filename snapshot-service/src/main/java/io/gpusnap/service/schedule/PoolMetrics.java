package io.gpusnap.service.schedule;

import io.gpusnap.service.schedule.core.Decision;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.stereotype.Component;

/** Meters of pools, over all of them: as this instance last saw each one. */
@Component
class PoolMetrics {
    static final String DECISIONS = "gpusnap.schedule.decisions";
    static final String MISSING = "gpusnap.schedule.missing.replicas";
    static final String WAIT = "gpusnap.schedule.longest.wait";

    private final MeterRegistry registry;
    private final Map<String, List<Decision.Waiting>> waiting = new ConcurrentHashMap<>();

    PoolMetrics(MeterRegistry registry) {
        this.registry = registry;
        Gauge.builder(
                        MISSING,
                        () -> waiting.values().stream()
                                .flatMap(List::stream)
                                .mapToInt(Decision.Waiting::missing)
                                .sum())
                .register(registry);
        Gauge.builder(
                        WAIT,
                        () -> waiting.values().stream()
                                .flatMap(List::stream)
                                .mapToDouble(Decision.Waiting::sinceSeconds)
                                .max()
                                .orElse(0))
                .baseUnit("seconds")
                .register(registry);
        for (PoolDecision.Action action : PoolDecision.Action.values()) {
            for (String outcome : List.of("queued", "refused")) {
                counter(action, outcome);
            }
        }
    }

    private Counter counter(PoolDecision.Action action, String outcome) {
        return registry.counter(DECISIONS, "action", action.name().toLowerCase(Locale.ROOT), "outcome", outcome);
    }

    void done(PoolDecision.Action action, String outcome) {
        counter(action, outcome).increment();
    }

    void decided(String pool, Decision decision) {
        waiting.put(pool, decision.waiting());
    }
}
