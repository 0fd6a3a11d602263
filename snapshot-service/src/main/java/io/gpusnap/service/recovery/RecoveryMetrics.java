package io.gpusnap.service.recovery;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of recoveries. */
@Component
class RecoveryMetrics {
    static final String RECOVERIES = "gpusnap.recoveries";

    private final RecoveryStore store;
    private final CountGauges<RecoveryState> gauges;

    RecoveryMetrics(RecoveryStore store, MeterRegistry registry) {
        this.store = store;
        this.gauges = new CountGauges<>(registry, RECOVERIES, "state", RecoveryState.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        gauges.update(store.countByState());
    }
}
