package io.gpusnap.node.client;

import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The whole of what the node has and can do now.
 *
 * @param cudaDriverVersion as cuDriverGetVersion says: 13000 is 13.0
 * @param cpuFeatures sorted, as manifests have them
 * @param peer null: nobody is served
 * @param mounts mount points that a process beside the daemon sees; null when they are more than the service takes
 * @param access null when it cannot be told
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
        @Nullable List<String> cpuFeatures,
        @Nullable PeerEndpoint peer,
        @Nullable List<String> mounts,
        @Nullable Access access) {

    /**
     * What can be read here, by ids only.
     *
     * @param opens whose chunks: tenants, and with an @ before them groups; first as whose new ones are written
     * @param keyIds of the keys that wrap data keys
     * @param signsAs id of the key that signs manifests
     * @param trusts ids of keys whose signatures are taken; empty when none is asked for
     */
    public record Access(
            List<String> opens,
            List<String> keyIds,
            @Nullable String signsAs,
            List<String> trusts) {}

    /**
     * Where other nodes may ask for chunks.
     *
     * @param address host and port
     * @param certificate SHA-256 of the daemon's certificate
     */
    public record PeerEndpoint(String address, String certificate, String tenant) {}

    public record Gpu(
            int ordinal,
            String uuid,
            String name,
            long memoryBytes,
            long freeBytes,
            boolean migEnabled,
            boolean simulated,
            @Nullable String computeCapability) {}

    /**
     * @param kind MEMORY, NVME, NFS or S3
     * @param capacityBytes 0 for a store without bound
     * @param storeId the same on every node that shares the store; null while it cannot be told
     * @param health HEALTHY or UNHEALTHY
     * @param residents of the MEMORY tier: snapshots of which it has chunks; null when it cannot be told now, and of others
     */
    public record Tier(
            String kind,
            String path,
            long capacityBytes,
            long freeBytes,
            long usedBytes,
            String name,
            @Nullable UUID storeId,
            String health,
            @Nullable String healthReason,
            @Nullable List<Resident> residents) {}

    /** How much of a snapshot's distinct chunks are there. */
    public record Resident(UUID snapshotId, long bytes, long totalBytes) {}

    public record Capability(
            String name, boolean available, @Nullable String reason) {}
}
