package io.gpusnap.node.client;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A process that carries {@code GPUSNAP_WORKLOAD}.
 *
 * @param state RUNNING, QUIESCED, SUSPENDED or UNKNOWN
 * @param refusals why a save would be refused now
 */
public record Workload(
        int pid,
        long startTimeTicks,
        String name,
        @Nullable String executable,
        List<String> commandLine,
        String state,
        long managedBytes,
        long allocations,
        List<Integer> listeningPorts,
        @Nullable UUID suspendedSnapshotId,
        List<Refusal> refusals) {

    public record Refusal(String code, String detail) {}
}
