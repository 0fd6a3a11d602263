package io.gpusnap.service.tier;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.gpusnap.service.platform.transaction.AfterCommit;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.Map;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of shared stores. */
@Component
class SweepMetrics {
    static final String OBJECTS = "gpusnap.objects";
    static final String SWEPT = "gpusnap.swept.bytes";
    static final String LOST = "gpusnap.copies.lacking";

    private final JdbcClient jdbc;
    private final MeterRegistry registry;
    private final CountGauges<ObjectState> objects;

    SweepMetrics(JdbcClient jdbc, MeterRegistry registry) {
        this.jdbc = jdbc;
        this.registry = registry;
        this.objects = new CountGauges<>(registry, OBJECTS, "state", ObjectState.class);
    }

    void swept(long bytes, int lost) {
        AfterCommit.run(() -> {
            registry.counter(SWEPT).increment(bytes);
            registry.counter(LOST).increment(lost);
        });
    }

    @Scheduled(fixedDelayString = "PT30S")
    void count() {
        Map<ObjectState, Long> now = jdbc
                .sql("SELECT state, count(*) AS n FROM store_object GROUP BY state")
                .query((row, number) -> Map.entry(ObjectState.valueOf(row.getString("state")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        objects.update(now);
    }
}
