package io.gpusnap.service.snapshot.web;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.LocationState;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.SnapshotState;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot.
 *
 * @param nodeId where it was taken
 * @param workloadId the process it was taken of
 * @param compatibilityClass key of what a node must be like to thaw it, once READY
 * @param manifestDigest SHA-256 of the manifest's bytes, once READY
 * @param totals sizes, once READY
 * @param sizes what of it is its own, once READY; not in lists
 * @param locations where copies of it are
 * @param pauseSeconds how long the process stood still
 * @param movedBytes device memory that the save moved over the bus; the rest was zero, repeated, in the node's memory
 *     tier already, or stayed on the device for a workload that goes on
 * @param rebuildableBytes device memory that is not in it, because the application declared that it can rebuild it; it comes
 *     back as zeros
 * @param failure why it FAILED or is QUARANTINED
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@Schema(name = "Snapshot")
record SnapshotResource(
        SnapshotId id,
        String model,
        String version,
        SnapshotState state,
        Engine engine,
        AfterSave afterSave,
        NodeId nodeId,
        @Nullable WorkloadId workloadId,
        String workloadName,
        @Nullable String compatibilityClass,
        @Nullable String manifestDigest,
        Completion.@Nullable Totals totals,
        @Nullable Sizes sizes,
        List<LocationResource> locations,
        @Nullable Double pauseSeconds,
        @Nullable Long movedBytes,
        @Nullable Long rebuildableBytes,
        @Nullable Failure failure,
        Instant createdAt,
        Instant updatedAt,
        @Nullable Instant readyAt,
        @Nullable Instant verifiedAt) {

    /**
     * Sizes of its layers.
     *
     * @param logicalBytes what the process had
     * @param uniqueBytes of chunks that no other snapshot has
     * @param sharedBytes of chunks that others have too, such as weights; both without zeros and repetitions, and as they were saved,
     *     however they lie in stores
     */
    @Schema(name = "SnapshotSizes")
    record Sizes(long logicalBytes, long uniqueBytes, long sharedBytes) {}

    /**
     * A copy.
     *
     * @param nodeId whose own the store is; absent for a shared one
     * @param reason why it was copied, or is removed
     * @param damage what was found wrong with it
     * @param unread why the last scrub could not read it: that condemns it not, but unless it was IN_USE no other copy goes because of it
     * @param storedBytes what its chunks take in that store, compressed and encrypted as they are there; absent where no node has said
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "SnapshotLocation")
    record LocationResource(
            StoreId storeId,
            Inventory.TierKind kind,
            @Nullable NodeId nodeId,
            LocationState state,
            @Nullable String reason,
            @Nullable String damage,
            TierResult.@Nullable Unread unread,
            Instant since,
            @Nullable Instant verifiedAt,
            @Nullable Long storedBytes) {

        static LocationResource of(Location location) {
            return new LocationResource(
                    location.storeId(),
                    location.kind(),
                    location.node().orElse(null),
                    location.state(),
                    location.reason(),
                    location.damage(),
                    location.unread(),
                    location.since(),
                    location.verifiedAt(),
                    location.storedBytes());
        }
    }

    static SnapshotResource of(Snapshot snapshot, List<Location> locations, @Nullable Sizes sizes) {
        return new SnapshotResource(
                snapshot.id(),
                snapshot.modelName(),
                snapshot.versionName(),
                snapshot.state(),
                snapshot.engine(),
                snapshot.afterSave(),
                snapshot.nodeId(),
                snapshot.workloadId().orElse(null),
                snapshot.workloadName(),
                snapshot.classKey().orElse(null),
                snapshot.manifestDigest().orElse(null),
                snapshot.totals().orElse(null),
                sizes,
                locations.stream().map(LocationResource::of).toList(),
                snapshot.pauseSeconds().orElse(null),
                snapshot.movedBytes().orElse(null),
                snapshot.rebuildableBytes().orElse(null),
                snapshot.failure().orElse(null),
                snapshot.createdAt(),
                snapshot.updatedAt(),
                snapshot.readyAt().orElse(null),
                snapshot.verifiedAt().orElse(null));
    }
}
