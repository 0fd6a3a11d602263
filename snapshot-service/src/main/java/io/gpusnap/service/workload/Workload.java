package io.gpusnap.service.workload;

import io.gpusnap.service.node.WorkloadReport.Refusal;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A process with GPU memory, as its daemon last reported it. Its identity is node, pid and start time together.
 *
 * @param startTimeTicks field 22 of {@code /proc/<pid>/stat}
 * @param refusals why a save would be refused now
 */
public record Workload(
        WorkloadId id,
        NodeId nodeId,
        int pid,
        long startTimeTicks,
        String name,
        @Nullable String executable,
        List<String> commandLine,
        WorkloadState state,
        long managedBytes,
        int allocations,
        List<Integer> listeningPorts,
        @Nullable SnapshotId suspendedSnapshotId,
        List<Refusal> refusals,
        Instant firstSeenAt,
        Instant lastSeenAt) {}
