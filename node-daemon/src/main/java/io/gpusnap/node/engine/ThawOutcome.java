package io.gpusnap.node.engine;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Left by a thaw that succeeded.
 *
 * @param seconds from the start of preflight to a healthy workload
 * @param stageSeconds seconds of each stage
 * @param fillBytesPerSecond bytes that crossed the bus over the time in which at least one call brought something to a device:
 *     waiting for chunks does not count; zeros, which the device writes by itself, take time and count for nothing; 0 when there
 *     were none
 * @param firstAnswerSeconds from the start of preflight to the right answer of its recorded prompt; null where there is none
 * @param bytesByTier bytes of chunks that were read, by the name of the tier that had them, {@code peer} for other nodes; null
 *     in the journal of an older daemon
 */
public record ThawOutcome(
        int pid,
        long startTimeTicks,
        String workloadName,
        double seconds,
        Map<String, Double> stageSeconds,
        double fillBytesPerSecond,
        @Nullable Double firstAnswerSeconds,
        @Nullable Map<String, Long> bytesByTier) {}
