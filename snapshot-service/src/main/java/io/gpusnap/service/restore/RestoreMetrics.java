package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import org.springframework.stereotype.Component;

/** Meters of restores. */
@Component
class RestoreMetrics {
    static final String THAW_DURATION = "gpusnap.thaw.duration";
    static final String DECISIONS = "gpusnap.restore.decisions";
    static final String FALLBACKS = "gpusnap.restore.fallbacks";
    static final String RESTORES = "gpusnap.restores";

    private final MeterRegistry registry;

    RestoreMetrics(MeterRegistry registry) {
        this.registry = registry;
        // There from the start: a rate over a meter that appears with its first count misses that one.
        for (Decision.Way way : Decision.Way.values()) {
            counter(DECISIONS, "way", way);
            counter(FALLBACKS, "to", way);
        }
        for (Restore.Outcome outcome : Restore.Outcome.values()) {
            counter(RESTORES, "outcome", outcome);
        }
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

    /** What a restore sets out with, once that is committed. */
    void decided(Decision.Way way) {
        count(DECISIONS, "way", way);
    }

    /** What a restore goes on with after a way that failed. */
    void fellBack(Decision.Way to) {
        count(FALLBACKS, "to", to);
    }

    void ended(Restore.Outcome outcome) {
        count(RESTORES, "outcome", outcome);
    }

    private void count(String name, String tag, Enum<?> value) {
        AfterCommit.run(() -> counter(name, tag, value).increment());
    }

    private Counter counter(String name, String tag, Enum<?> value) {
        return registry.counter(name, tag, value.name().toLowerCase(Locale.ROOT));
    }
}
