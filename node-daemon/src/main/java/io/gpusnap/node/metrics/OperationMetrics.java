package io.gpusnap.node.metrics;

import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StageState;
import io.gpusnap.node.operation.StageStatus;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import java.util.function.Function;

/** Counts and times what operations do. */
public final class OperationMetrics implements StageListener {

    private final MeterRegistry registry;
    private final Function<OperationSpec, String> engineOf;

    /** @param engineOf the engine's name for the label; "none" for work without one */
    public OperationMetrics(MeterRegistry registry, Function<OperationSpec, String> engineOf) {
        this.registry = registry;
        this.engineOf = engineOf;
    }

    @Override
    public void stageChanged(OperationSpec spec, StageStatus status) {
        if (status.state() != StageState.SUCCEEDED && status.state() != StageState.FAILED) {
            return;
        }
        Timer.builder(MetricNames.STAGE)
                .description("Seconds of a stage, retries included")
                .tag(MetricNames.LABEL_ENGINE, engineOf.apply(spec))
                .tag(MetricNames.LABEL_STAGE, status.name())
                .tag(MetricNames.LABEL_OUTCOME, status.state().name().toLowerCase(Locale.ROOT))
                .serviceLevelObjectives(
                        Duration.ofMillis(10),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(5),
                        Duration.ofSeconds(30),
                        Duration.ofMinutes(2),
                        Duration.ofMinutes(10))
                .register(registry)
                .record(duration(status));
        StageTraffic.of(status.name())
                .ifPresent(traffic -> registry.counter(
                                MetricNames.BYTES,
                                MetricNames.LABEL_DIRECTION,
                                traffic.direction(),
                                MetricNames.LABEL_TIER,
                                traffic.tier())
                        .increment(status.progress().doneBytes()));
    }

    @Override
    public void ended(OperationSpec spec, OperationOutcome outcome) {
        String how = switch (outcome) {
            case OperationOutcome.Succeeded s -> "succeeded";
            case OperationOutcome.Failed f -> "failed";
            case OperationOutcome.Cancelled c -> "cancelled";
        };
        registry.counter(
                        MetricNames.OPERATIONS,
                        MetricNames.LABEL_KIND,
                        spec.kind().name().toLowerCase(Locale.ROOT),
                        MetricNames.LABEL_OUTCOME,
                        how)
                .increment();
    }

    private static Duration duration(StageStatus status) {
        return status.startedAt()
                .flatMap(start -> status.finishedAt().map(end -> Duration.between(start, end)))
                .filter(time -> !time.isNegative())
                .orElse(Duration.ZERO);
    }
}
