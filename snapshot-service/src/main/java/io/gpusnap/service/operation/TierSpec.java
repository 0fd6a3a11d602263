package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Work on a node's tiers. Only nodes that advertise the capability of the same lower-case name are given it. */
public sealed interface TierSpec extends OperationSpec {

    /** The tier that it changes or reads. */
    TierRef tier();

    /** How soon a node is to do it. */
    TransferPriority priority();

    /**
     * A tier of the node that does the work. The daemon refuses (TIER_MISMATCH) when that name leads to another store by
     * now.
     *
     * @param name as the node reports it
     */
    @Schema(name = "TierRef")
    record TierRef(String name, StoreId storeId) {}

    /**
     * Copy a whole snapshot into a tier: what the tier lacks of its chunks, then its manifest. Done when it is durable
     * there and was read back or proven by digest. What the tier has is looked up after the claim, never from what was
     * known before. It removes nothing anywhere. There already is success.
     *
     * @param manifestDigest SHA-256 of the manifest's exact bytes, lower-case hex; another manifest is refused
     * @param from where to read; absent: wherever the node finds it fastest
     * @param tier where to
     * @param maxBytesPerSecond upper bound of the rate of all transfers of the node together, absent for none
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "TransferTask")
    record Transfer(
            SnapshotId snapshotId,
            String manifestDigest,
            @Nullable TierRef from,
            TierRef tier,
            TransferPriority priority,
            @Nullable Long maxBytesPerSecond)
            implements TierSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.TRANSFER;
        }
    }

    /**
     * Remove a snapshot from a tier of the node's own (MEMORY, NVME), with the chunks that nothing else there names. Absent
     * already is success. From a shared store nothing is removed this way: see {@link Sweep}.
     */
    @Schema(name = "EvictTask")
    record Evict(SnapshotId snapshotId, TierRef tier, TransferPriority priority) implements TierSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.EVICT;
        }
    }

    /**
     * Delete these objects of a shared store, then list what it has. The service alone decides what is garbage; the daemon
     * deletes exactly what is named and nothing else.
     *
     * @param serviceId of this service. A store is swept for the service whose id was written into it first; for another
     *     one the daemon refuses (CONFLICT)
     * @param delete names of objects; absent already is success, any other trouble with one fails the operation
     * @param listAfter list names that sort (by UTF-8 bytes) after this one; absent: from the first
     * @param listLimit list at most so many
     * @param abortUploadsAfterSeconds unfinished multipart uploads that are older, by the store's clock, are aborted
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @Schema(name = "SweepTask")
    record Sweep(
            TierRef tier,
            UUID serviceId,
            List<String> delete,
            @Nullable String listAfter,
            int listLimit,
            long abortUploadsAfterSeconds,
            TransferPriority priority)
            implements TierSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.SWEEP;
        }
    }

    /**
     * Read snapshots of a tier whole and compare digests, no faster than told.
     *
     * @param maxBytesPerSecond upper bound of the rate
     */
    @Schema(name = "ScrubTask")
    record Scrub(TierRef tier, List<ScrubSubject> snapshots, long maxBytesPerSecond, TransferPriority priority)
            implements TierSpec {
        @Override
        public OperationKind kind() {
            return OperationKind.SCRUB;
        }
    }

    /** @param manifestDigest SHA-256 of the manifest's exact bytes, lower-case hex */
    @Schema(name = "ScrubSubject")
    record ScrubSubject(SnapshotId snapshotId, String manifestDigest) {}
}
