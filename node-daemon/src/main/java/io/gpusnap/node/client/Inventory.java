package io.gpusnap.node.client;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The whole of what the node has and can do now.
 *
 * @param cudaDriverVersion as cuDriverGetVersion says: 13000 is 13.0
 * @param cpuFeatures sorted, as manifests have them
 * @param snapshots those that the local store holds; null when it cannot be told now
 */
public record Inventory(
        String os,
        String kernelRelease,
        String architecture,
        @Nullable String cpuModel,
        int cpuCores,
        long memoryBytes,
        List<Gpu> gpus,
        @Nullable Integer cudaDriverVersion,
        @Nullable String driverBuild,
        @Nullable String criuVersion,
        List<Tier> tiers,
        List<Capability> capabilities,
        @Nullable List<UUID> snapshots,
        @Nullable List<String> cpuFeatures) {

    public record Gpu(
            int ordinal,
            String uuid,
            String name,
            long memoryBytes,
            long freeBytes,
            boolean migEnabled,
            boolean simulated,
            @Nullable String computeCapability) {}

    /** @param kind MEMORY or NVME */
    public record Tier(String kind, String path, long capacityBytes, long freeBytes, long usedBytes) {}

    public record Capability(
            String name, boolean available, @Nullable String reason) {}
}
