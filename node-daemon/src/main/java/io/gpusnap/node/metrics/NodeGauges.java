package io.gpusnap.node.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Values that are looked up when somebody asks. */
public final class NodeGauges {

    /** One value of a family, under one label. */
    public record Labelled(String label, double value) {}

    /**
     * The node at one moment.
     *
     * @param gpuFreeBytes labelled by ordinal
     * @param clockDifferenceSeconds how far the service's clock is ahead of this node's
     */
    public record Reading(
            List<Labelled> tierCapacityBytes,
            List<Labelled> tierFreeBytes,
            List<Labelled> tierUsedBytes,
            List<Labelled> tierHealthy,
            List<Labelled> tierQuarantinedChunks,
            List<Labelled> gpuFreeBytes,
            List<Labelled> progressBytes,
            List<Labelled> progressTotalBytes,
            int snapshots,
            int operationsHeld,
            boolean serviceConnected,
            double clockDifferenceSeconds) {}

    private record Family(MultiGauge gauge, String label) {

        void set(List<Labelled> values) {
            Stream<MultiGauge.Row<?>> rows =
                    values.stream().map(value -> MultiGauge.Row.of(Tags.of(label, value.label()), value.value()));
            gauge.register(rows.toList(), true);
        }
    }

    private final Supplier<Reading> source;
    private final Family tierCapacity;
    private final Family tierFree;
    private final Family tierUsed;
    private final Family tierHealthy;
    private final Family tierQuarantined;
    private final Family gpuFree;
    private final Family progress;
    private final Family progressTotal;
    private volatile Reading latest = new Reading(
            List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), 0, 0, false, 0);

    public NodeGauges(MeterRegistry registry, Supplier<Reading> source) {
        this.source = source;
        this.tierCapacity = family(registry, MetricNames.TIER_CAPACITY_BYTES, MetricNames.LABEL_TIER);
        this.tierFree = family(registry, MetricNames.TIER_FREE_BYTES, MetricNames.LABEL_TIER);
        this.tierUsed = family(registry, MetricNames.TIER_USED_BYTES, MetricNames.LABEL_TIER);
        this.tierHealthy = family(registry, MetricNames.TIER_HEALTHY, MetricNames.LABEL_TIER);
        this.tierQuarantined = family(registry, MetricNames.TIER_QUARANTINED_CHUNKS, MetricNames.LABEL_TIER);
        this.gpuFree = family(registry, MetricNames.GPU_FREE_BYTES, MetricNames.LABEL_GPU);
        this.progress = family(registry, MetricNames.PROGRESS_BYTES, MetricNames.LABEL_KIND);
        this.progressTotal = family(registry, MetricNames.PROGRESS_TOTAL_BYTES, MetricNames.LABEL_KIND);
        Gauge.builder(MetricNames.SNAPSHOTS, () -> latest.snapshots()).register(registry);
        Gauge.builder(MetricNames.OPERATIONS_HELD, () -> latest.operationsHeld())
                .register(registry);
        Gauge.builder(MetricNames.SERVICE_CONNECTED, () -> latest.serviceConnected() ? 1 : 0)
                .register(registry);
        Gauge.builder(MetricNames.CLOCK_DIFFERENCE_SECONDS, () -> latest.clockDifferenceSeconds())
                .register(registry);
    }

    /** Before a scrape. */
    public synchronized void refresh() {
        Reading now = source.get();
        latest = now;
        tierCapacity.set(now.tierCapacityBytes());
        tierFree.set(now.tierFreeBytes());
        tierUsed.set(now.tierUsedBytes());
        tierHealthy.set(now.tierHealthy());
        tierQuarantined.set(now.tierQuarantinedChunks());
        gpuFree.set(now.gpuFreeBytes());
        progress.set(now.progressBytes());
        progressTotal.set(now.progressTotalBytes());
    }

    private static Family family(MeterRegistry registry, String name, String label) {
        return new Family(MultiGauge.builder(name).register(registry), label);
    }
}
