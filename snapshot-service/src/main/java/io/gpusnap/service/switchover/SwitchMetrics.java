package io.gpusnap.service.switchover;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import org.springframework.stereotype.Component;

/** Meters of switches. */
@Component
class SwitchMetrics {
    static final String SWITCHES = "gpusnap.switches";
    static final String DURATION = "gpusnap.switch.duration";

    private final MeterRegistry registry;

    SwitchMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Until the other process served, by the daemon's clock. */
    void switched(Completion.ThawResult result) {
        ended("succeeded");
        AfterCommit.run(() -> Timer.builder(DURATION)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(50))
                .maximumExpectedValue(Duration.ofMinutes(5))
                .register(registry)
                .record(Duration.ofNanos((long) (result.seconds() * 1e9))));
    }

    void ended(String outcome) {
        AfterCommit.run(() -> registry.counter(SWITCHES, "outcome", outcome).increment());
    }
}
