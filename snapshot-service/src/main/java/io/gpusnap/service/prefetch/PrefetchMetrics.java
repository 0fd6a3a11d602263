package io.gpusnap.service.prefetch;

import io.gpusnap.service.node.Inventory;
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
    private static final String TIER = "tier";
    private static final List<Inventory.TierKind> TIERS = List.of(Inventory.TierKind.MEMORY, Inventory.TierKind.NVME);

    private final MeterRegistry registry;

    PrefetchMetrics(MeterRegistry registry) {
        this.registry = registry;
        // There from the start: a rate over a meter that appears with its first count misses that one.
        for (Inventory.TierKind tier : TIERS) {
            lead(tier);
            for (PrefetchLog.Outcome outcome : PrefetchLog.Outcome.values()) {
                registry.counter(COPIES, TIER, lower(tier), "outcome", lower(outcome));
                registry.counter(BYTES, TIER, lower(tier), "outcome", lower(outcome));
            }
        }
        count(new PrefetchLog.Thaws(0, 0, 0));
    }

    private Timer lead(Inventory.TierKind tier) {
        return Timer.builder(LEAD)
                .tag(TIER, lower(tier))
                .publishPercentileHistogram()
                .minimumExpectedValue(Duration.ofSeconds(1))
                .maximumExpectedValue(Duration.ofHours(8))
                .register(registry);
    }

    void ended(List<PrefetchLog.Ended> copies) {
        for (PrefetchLog.Ended copy : copies) {
            String tier = lower(copy.tier());
            String outcome = lower(copy.outcome());
            registry.counter(COPIES, TIER, tier, "outcome", outcome).increment();
            registry.counter(BYTES, TIER, tier, "outcome", outcome).increment(copy.bytes());
            if (copy.outcome() == PrefetchLog.Outcome.USED) {
                lead(copy.tier()).record(Duration.ofMillis(Math.round(copy.leadSeconds() * 1000)));
            }
        }
    }

    void count(PrefetchLog.Thaws thaws) {
        registry.counter(THAWS, "hot", "true", TIER, "memory").increment(thaws.inMemory());
        registry.counter(THAWS, "hot", "true", TIER, "nvme").increment(thaws.inStore());
        registry.counter(THAWS, "hot", "false", TIER, "none").increment(thaws.cold());
    }

    private static String lower(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT);
    }
}
