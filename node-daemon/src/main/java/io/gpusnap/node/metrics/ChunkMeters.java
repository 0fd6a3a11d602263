package io.gpusnap.node.metrics;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/** Counters that others keep, of chunks and of other nodes; a label's value is there once something was counted under it. */
public final class ChunkMeters {

    /**
     * What was counted in this daemon's life.
     *
     * @param readBytes by the tier that had the chunks
     * @param peerFailures by reason
     */
    public record Reading(
            Map<String, Long> readBytes,
            Map<String, Long> peerFailures,
            long servedBytes,
            long refusedRequests,
            Orphans orphans,
            Quarantine quarantine) {}

    /**
     * Chunks of the node's own store that nothing names.
     *
     * @param marked found so by the last look, and not deleted yet
     * @param looks that came to their end
     * @param failedLooks that did not
     */
    public record Orphans(long marked, long freedBytes, long looks, long failedLooks) {}

    /**
     * Damaged chunks of the node's own store.
     *
     * @param keptBytes of those that the last look left
     * @param freedBytes of those that were deleted
     * @param failedLooks that did not come to their end
     */
    public record Quarantine(long keptBytes, long freedBytes, long failedLooks) {}

    private final MeterRegistry registry;
    private final Supplier<Reading> source;
    private volatile Reading latest =
            new Reading(Map.of(), Map.of(), 0, 0, new Orphans(0, 0, 0, 0), new Quarantine(0, 0, 0));

    public ChunkMeters(MeterRegistry registry, Supplier<Reading> source) {
        this.registry = registry;
        this.source = source;
        FunctionCounter.builder(MetricNames.PEER_SERVED_BYTES, this, it -> it.latest.servedBytes())
                .register(registry);
        FunctionCounter.builder(MetricNames.PEER_REFUSED, this, it -> it.latest.refusedRequests())
                .register(registry);
        Gauge.builder(MetricNames.ORPHAN_CHUNKS, this, it -> it.latest.orphans().marked())
                .register(registry);
        FunctionCounter.builder(
                        MetricNames.ORPHAN_FREED_BYTES,
                        this,
                        it -> it.latest.orphans().freedBytes())
                .register(registry);
        Gauge.builder(
                        MetricNames.QUARANTINE_BYTES,
                        this,
                        it -> it.latest.quarantine().keptBytes())
                .register(registry);
        FunctionCounter.builder(
                        MetricNames.QUARANTINE_FREED_BYTES,
                        this,
                        it -> it.latest.quarantine().freedBytes())
                .register(registry);
        FunctionCounter.builder(
                        MetricNames.QUARANTINE_FAILED_LOOKS,
                        this,
                        it -> it.latest.quarantine().failedLooks())
                .register(registry);
        looks("succeeded", Orphans::looks);
        looks("failed", Orphans::failedLooks);
    }

    private void looks(String outcome, ToLongFunction<Orphans> count) {
        FunctionCounter.builder(MetricNames.ORPHAN_LOOKS, this, it -> count.applyAsLong(it.latest.orphans()))
                .tag(MetricNames.LABEL_OUTCOME, outcome)
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
