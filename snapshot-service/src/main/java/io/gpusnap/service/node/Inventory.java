package io.gpusnap.service.node;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a node has and can do now, whole in every heartbeat.
 *
 * @param kernelRelease as {@code uname -r} says
 * @param cudaDriverVersion as {@code cuDriverGetVersion} says (13000 is 13.0), absent without a driver
 * @param driverBuild the driver's own version such as 580.159.04
 * @param criuVersion absent where CRIU cannot be had
 * @param snapshots every snapshot whose manifest and chunks the local store holds; absent means "unknown, change nothing"
 * @param cpuFeatures of the processor, as a snapshot's manifest has them; absent from daemons that do not say
 * @param peer where it gives chunks to other nodes; absent from those that do not
 * @param mounts mount points that a process beside the daemon sees; absent from daemons that do not say
 * @param access what it can open and whom it trusts; absent from daemons that do not say: those are asked for anything
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Inventory(
        @NotBlank @Size(max = 200) String os,
        @NotBlank @Size(max = 200) String kernelRelease,
        @NotBlank @Size(max = 60) String architecture,
        @Size(max = 200) @Nullable String cpuModel,
        @PositiveOrZero int cpuCores,
        @PositiveOrZero long memoryBytes,
        @NotNull @Size(max = 64) List<@Valid Gpu> gpus,
        @Nullable Integer cudaDriverVersion,
        @Size(max = 200) @Nullable String driverBuild,
        @Size(max = 60) @Nullable String criuVersion,
        @NotNull @Size(max = 64) List<@Valid Tier> tiers,
        @NotNull @Size(max = 100) List<@Valid Capability> capabilities,
        @Size(max = 100_000) @Nullable List<SnapshotId> snapshots,
        @Size(max = 2_000) @Nullable List<@NotNull @Size(max = 60) String> cpuFeatures,
        @Valid @Nullable PeerEndpoint peer,
        @Size(max = 2_000) @Nullable List<@NotNull @Size(max = 4096) String> mounts,
        @Valid @Nullable Access access) {

    /** Capability of a daemon that thaws into containers. */
    public static final String CONTAINER_THAW = "container-thaw";

    /**
     * What the node can read of shared stores, by ids only: no key ever leaves it.
     *
     * @param opens whose chunks it has a key for: tenants, and with an @ before them sharing groups; first as whose it writes new ones
     * @param keyIds of the keys that wrap data keys there, the one that wraps new ones first
     * @param signsAs id of the key that signs its manifests; absent when it signs none, or cannot tell
     * @param trusts ids of keys whose signatures it takes; empty when it asks for none
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Access")
    public record Access(
            @NotNull @Size(max = 100)
            List<
                            @NotNull
                            @Pattern(
                                    regexp = "@?[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
                                    message = "must be the name of a tenant or of a group")
                            String>
                    opens,

            @NotNull @Size(max = 100) List<@NotNull @Size(max = 2048) String> keyIds,
            @Nullable @Size(max = 100) String signsAs,
            @NotNull @Size(max = 1000) List<@NotNull @Size(max = 100) String> trusts) {}

    /**
     * Where other nodes may ask this one for chunks, over TLS.
     *
     * @param address host and port, as the others reach it
     * @param certificate SHA-256 of the certificate that the daemon made for this run of it, lower-case hex
     * @param tenant whose chunks the node has; nodes of other tenants hear nothing of it
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "PeerEndpoint")
    public record PeerEndpoint(
            @NotNull
            @Size(max = 300)
            @Pattern(regexp = "([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.%]+]):[0-9]{1,5}", message = "must be a host and a port")
            String address,

            @NotNull @Pattern(regexp = "[0-9a-f]{64}", message = "must be 64 lower-case hex digits")
            String certificate,

            @NotNull @Pattern(regexp = "[A-Za-z0-9][A-Za-z0-9._-]{0,99}", message = "must be a tenant's name")
            String tenant) {}

    /**
     * One GPU.
     *
     * @param simulated when the driver is the stand-in of tests and the demo
     * @param computeCapability such as 9.0; absent from daemons that do not say
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Gpu")
    public record Gpu(
            @PositiveOrZero int ordinal,
            @NotBlank @Size(max = 100) String uuid,
            @NotBlank @Size(max = 200) String name,
            @PositiveOrZero long memoryBytes,
            @PositiveOrZero long freeBytes,
            boolean migEnabled,
            boolean simulated,
            @Size(max = 20) @Nullable String computeCapability) {}

    /**
     * A named place where the node keeps chunks.
     *
     * @param name unique on the node; absent from older daemons, which have one of each kind
     * @param storeId of what is behind it: the same NFS directory or bucket has the same on every node. Absent from older
     *     daemons, and for a tier that holds no whole snapshots
     * @param capacityBytes what gpusnap may use; 0 for a store without bound, {@code freeBytes} means nothing then
     * @param freeBytes what it may still take
     * @param usedBytes gpusnap's own
     * @param health absent is HEALTHY
     * @param healthReason why it is not HEALTHY, and how to mend it
     * @param residents of a MEMORY tier: snapshots of which it has chunks; absent means "unknown"
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Tier")
    public record Tier(
            @NotNull TierKind kind,
            @Size(max = 4096) @Nullable String path,
            @PositiveOrZero long capacityBytes,
            @PositiveOrZero long freeBytes,
            @PositiveOrZero long usedBytes,

            @Pattern(regexp = "[a-z0-9][a-z0-9-]{0,62}", message = "must be a DNS label") @Nullable
            String name,

            @Nullable StoreId storeId,
            @Nullable TierHealth health,
            @Size(max = 2000) @Nullable String healthReason,
            @Size(max = 10_000) @Nullable List<@Valid Resident> residents) {

        /** The name, or of an older daemon's tier its kind in lower case. */
        public String nameOrKind() {
            return name == null ? kind.name().toLowerCase(Locale.ROOT) : name;
        }

        /** Whether it takes and gives bytes now. */
        public boolean usable() {
            return health != TierHealth.UNHEALTHY;
        }
    }

    /** How much of a snapshot's chunks a MEMORY tier has; {@code totalBytes} would be all. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Resident")
    public record Resident(
            @NotNull SnapshotId snapshotId,
            @PositiveOrZero long bytes,
            @PositiveOrZero long totalBytes) {}

    /** DEGRADED: it works, but slowly or not always. UNHEALTHY: nothing is asked of it. */
    @Schema(name = "TierHealth")
    public enum TierHealth {
        HEALTHY,
        DEGRADED,
        UNHEALTHY
    }

    /** Kinds of {@link Tier}. */
    public enum TierKind {
        /** Chunks in page-locked memory; lost with the node. */
        MEMORY,
        /** The node's own store. */
        NVME,
        /** A directory that several nodes share. */
        NFS,
        /** An object store. */
        S3;

        /** Whether several nodes may see the same store. */
        public boolean shared() {
            return this == NFS || this == S3;
        }
    }

    /**
     * Something that the daemon probed.
     *
     * @param name {@code criu}, {@code cuda-checkpoint}, {@code container-thaw}, {@code pinned-pool}, an engine's name, or work on
     *     tiers that the daemon knows: {@code transfer}, {@code evict}, {@code sweep}, {@code scrub}, {@code verify} (also of what only a shared store has)
     * @param reason why it is not available, and how to get it
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "Capability")
    public record Capability(
            @NotBlank @Size(max = 100) String name,
            boolean available,
            @Size(max = 2000) @Nullable String reason) {}

    /** Why the capability is missing here; empty when it is available. */
    public Optional<String> whyMissing(String capability) {
        return capabilities.stream()
                .filter(one -> one.name().equals(capability))
                .findFirst()
                .map(one -> one.available()
                        ? Optional.<String>empty()
                        : Optional.of(one.reason() == null ? "the daemon gives no reason" : one.reason()))
                .orElseGet(() -> Optional.of("the daemon does not know it"));
    }
}
