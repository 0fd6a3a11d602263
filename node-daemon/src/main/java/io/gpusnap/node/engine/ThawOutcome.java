package io.gpusnap.node.engine;

import java.util.Map;

/**
 * Left by a thaw that succeeded.
 *
 * @param seconds from the start of preflight to a healthy workload
 * @param stageSeconds seconds of each stage; {@code verify} runs beside {@code criu-restore} and is counted by itself
 * @param fillBytesPerSecond bytes that crossed the bus over the time of the whole fill; zeros, which the device writes by
 *     itself, take time and count for nothing; 0 when there were none
 */
public record ThawOutcome(
        int pid,
        long startTimeTicks,
        String workloadName,
        double seconds,
        Map<String, Double> stageSeconds,
        double fillBytesPerSecond) {}
