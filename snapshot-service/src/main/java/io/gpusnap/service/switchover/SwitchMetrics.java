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
    private static final String SUCCEEDED = "succeeded";

    private final MeterRegistry registry;
    private final Timer duration;

    SwitchMetrics(MeterRegistry registry) {
        this.registry = registry;
        // There from the start: a rate over a meter that appears with its first count misses that one.
        this.duration = Timer.builder(DURATION)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(50))
                .maximumExpectedValue(Duration.ofMinutes(5))
                .register(registry);
        registry.counter(SWITCHES, "outcome", SUCCEEDED);
    }

    /** Until the other process served, by the daemon's clock. */
    void switched(Completion.ThawResult result) {
        ended(SUCCEEDED);
        AfterCommit.run(() -> duration.record(Duration.ofNanos((long) (result.seconds() * 1e9))));
    }

    void ended(String outcome) {
        AfterCommit.run(() -> registry.counter(SWITCHES, "outcome", outcome).increment());
    }
}
