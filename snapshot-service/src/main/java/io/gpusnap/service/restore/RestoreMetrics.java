package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import org.springframework.stereotype.Component;

/** Meters of restores. */
@Component
class RestoreMetrics {
    static final String THAW_DURATION = "gpusnap.thaw.duration";

    private final MeterRegistry registry;

    RestoreMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Records how long a thaw took by the daemon's clock, once that is committed. */
    void thawed(Engine engine, double seconds) {
        AfterCommit.run(() -> Timer.builder(THAW_DURATION)
                .tag("engine", engine.wireName())
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofMillis(50))
                .maximumExpectedValue(Duration.ofMinutes(5))
                .register(registry)
                .record(Duration.ofNanos((long) (seconds * 1e9))));
    }
}
