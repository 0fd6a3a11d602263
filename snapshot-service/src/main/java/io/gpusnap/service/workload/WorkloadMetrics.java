package io.gpusnap.service.workload;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of workloads. */
@Component
class WorkloadMetrics {
    static final String WORKLOADS = "gpusnap.workloads";

    private final WorkloadRepository workloads;
    private final CountGauges<WorkloadState> gauges;

    WorkloadMetrics(WorkloadRepository workloads, MeterRegistry registry) {
        this.workloads = workloads;
        this.gauges = new CountGauges<>(registry, WORKLOADS, "state", WorkloadState.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        gauges.update(workloads.countByState());
    }
}
