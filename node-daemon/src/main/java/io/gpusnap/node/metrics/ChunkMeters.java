package io.gpusnap.node.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.function.Supplier;

/** Counters that others keep, of chunks and of other nodes; a label's value is there once something was counted under it. */
public final class ChunkMeters {

    /**
     * What was counted in this daemon's life.
     *
     * @param readBytes by the tier that had the chunks
     * @param peerFailures by reason
     */
    public record Reading(
            Map<String, Long> readBytes, Map<String, Long> peerFailures, long servedBytes, long refusedRequests) {}

    private final MeterRegistry registry;
    private final Supplier<Reading> source;
    private volatile Reading latest = new Reading(Map.of(), Map.of(), 0, 0);

    public ChunkMeters(MeterRegistry registry, Supplier<Reading> source) {
        this.registry = registry;
        this.source = source;
        FunctionCounter.builder(MetricNames.PEER_SERVED_BYTES, this, it -> it.latest.servedBytes())
                .register(registry);
        FunctionCounter.builder(MetricNames.PEER_REFUSED, this, it -> it.latest.refusedRequests())
                .register(registry);
    }

    /** Before a scrape. */
    public void refresh() {
        latest = source.get();
        // Registering again what is there changes nothing.
        latest.readBytes()
                .keySet()
                .forEach(tier -> FunctionCounter.builder(
                                MetricNames.READ_BYTES,
                                this,
                                it -> it.latest.readBytes().getOrDefault(tier, 0L))
                        .tag(MetricNames.LABEL_TIER, tier)
                        .register(registry));
        latest.peerFailures()
                .keySet()
                .forEach(reason -> FunctionCounter.builder(
                                MetricNames.PEER_FAILURES,
                                this,
                                it -> it.latest.peerFailures().getOrDefault(reason, 0L))
                        .tag(MetricNames.LABEL_REASON, reason)
                        .register(registry));
    }
}
