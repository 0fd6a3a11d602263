package io.gpusnap.service.prefetch;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.springframework.stereotype.Component;

/** Meters of copies that were brought ahead. Each instance counts what it settled; together they count everything once. */
@Component
class PrefetchMetrics {
    static final String COPIES = "gpusnap.prefetch.copies";
    static final String BYTES = "gpusnap.prefetch.bytes";
    static final String LEAD = "gpusnap.prefetch.lead";
    static final String THAWS = "gpusnap.prefetch.thaws";

    private final MeterRegistry registry;
    private final Timer lead;

    PrefetchMetrics(MeterRegistry registry) {
        this.registry = registry;
        this.lead = Timer.builder(LEAD)
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofSeconds(1))
                .maximumExpectedValue(Duration.ofHours(8))
                .register(registry);
        // There from the start: a rate over a meter that appears with its first count misses that one.
        for (PrefetchLog.Outcome outcome : PrefetchLog.Outcome.values()) {
            registry.counter(COPIES, "outcome", lower(outcome));
            registry.counter(BYTES, "outcome", lower(outcome));
        }
        count(new PrefetchLog.Thaws(0, 0));
    }

    void ended(List<PrefetchLog.Ended> copies) {
        for (PrefetchLog.Ended copy : copies) {
            registry.counter(COPIES, "outcome", lower(copy.outcome())).increment();
            registry.counter(BYTES, "outcome", lower(copy.outcome())).increment(copy.bytes());
            if (copy.outcome() == PrefetchLog.Outcome.USED) {
                lead.record(Duration.ofMillis(Math.round(copy.leadSeconds() * 1000)));
            }
        }
    }

    void count(PrefetchLog.Thaws thaws) {
        registry.counter(THAWS, "hot", "true").increment(thaws.hot());
        registry.counter(THAWS, "hot", "false").increment(thaws.cold());
    }

    private static String lower(PrefetchLog.Outcome outcome) {
        return outcome.name().toLowerCase(Locale.ROOT);
    }
}
