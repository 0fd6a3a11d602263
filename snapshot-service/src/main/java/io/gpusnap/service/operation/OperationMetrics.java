package io.gpusnap.service.operation;

import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.Locale;
import org.springframework.stereotype.Component;

/** Meters of operations. */
@Component
class OperationMetrics {
    static final String OPERATIONS = "gpusnap.operations";
    static final String DURATION = "gpusnap.operation.duration";
    static final String STAGE_DURATION = "gpusnap.stage.duration";

    private static final Duration SHORTEST = Duration.ofMillis(10);
    private static final Duration LONGEST = Duration.ofMinutes(10);

    private final MeterRegistry registry;

    OperationMetrics(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Counts it once its end is committed. */
    void ended(Operation operation) {
        String kind = operation.kind().name().toLowerCase(Locale.ROOT);
        String engine = operation.engineIfAny().map(Engine::wireName).orElse("none");
        String outcome = operation.state().name().toLowerCase(Locale.ROOT);
        AfterCommit.run(() -> {
            registry.counter(OPERATIONS, "kind", kind, "outcome", outcome).increment();
            operation
                    .startedAt()
                    .ifPresent(started -> operation
                            .finishedAt()
                            .ifPresent(finished -> timer(DURATION, "kind", kind, "engine", engine)
                                    .record(Duration.between(started, finished))));
            operation
                    .stages()
                    .forEach(stage -> stage.duration()
                            .ifPresent(
                                    time -> timer(STAGE_DURATION, "kind", kind, "engine", engine, "stage", stage.name())
                                            .record(time)));
        });
    }

    private Timer timer(String name, String... tags) {
        return Timer.builder(name)
                .tags(tags)
                .publishPercentileHistogram()
                .minimumExpectedValue(SHORTEST)
                .maximumExpectedValue(LONGEST)
                .register(registry);
    }
}
