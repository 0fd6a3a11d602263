package io.gpusnap.service.node;

import io.gpusnap.service.platform.metrics.CountGauges;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;

/** Meters of nodes. */
@Component
class NodeMetrics {
    static final String NODES = "gpusnap.nodes";

    private final NodeRepository nodes;
    private final CountGauges<NodeState> gauges;

    NodeMetrics(NodeRepository nodes, MeterRegistry registry) {
        this.nodes = nodes;
        this.gauges = new CountGauges<>(registry, NODES, "state", NodeState.class);
    }

    @Scheduled(fixedDelayString = "PT5S")
    void count() {
        gauges.update(nodes.countByState());
    }
}
