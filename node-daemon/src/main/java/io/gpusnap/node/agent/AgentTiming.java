package io.gpusnap.node.agent;

import io.gpusnap.node.operation.RetryPolicy;
import java.time.Duration;
import java.util.function.LongSupplier;

/**
 * The agent's own times; those of heartbeat, poll and lease come from the service.
 *
 * @param nanoTime monotonic: leases must not depend on a wall clock that somebody sets
 * @param progressInterval between two reports while nothing changes
 * @param shortestReport between two reports at all
 * @param reconnect waits of a service that does not answer
 * @param keepUnwanted how long the outcome of a fenced operation waits to be claimed again
 * @param deliveryGrace how long stopping waits for outcomes to be delivered
 */
record AgentTiming(
        LongSupplier nanoTime,
        Duration progressInterval,
        Duration shortestReport,
        RetryPolicy reconnect,
        Duration keepUnwanted,
        Duration deliveryGrace) {

    static AgentTiming standard() {
        return new AgentTiming(
                System::nanoTime,
                Duration.ofSeconds(1),
                Duration.ofMillis(100),
                RetryPolicy.of(Integer.MAX_VALUE, Duration.ofMillis(500)),
                Duration.ofHours(24),
                Duration.ofSeconds(5));
    }
}
