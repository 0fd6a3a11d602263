package io.gpusnap.node.client;

import io.gpusnap.node.operation.FailureCode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How an operation ended.
 *
 * @param failure present exactly when it FAILED
 * @param save present exactly when a save SUCCEEDED
 * @param thaw present when a thaw or a switch SUCCEEDED, and when a switch FAILED after its process served
 * @param suspended present with the thaw of a switch: who made room and is frozen in a snapshot
 * @param damaged null for none
 * @param transfer present exactly when a transfer SUCCEEDED; evict, sweep and scrub alike
 */
public record Completion(
        long epoch,
        Outcome outcome,
        List<StageReport> stages,
        @Nullable Failure failure,
        @Nullable Saved save,
        @Nullable Thawed thaw,
        @Nullable List<Suspended> suspended,
        boolean workloadLost,
        @Nullable Transferred transfer,
        @Nullable Evicted evict,
        @Nullable Swept sweep,
        @Nullable Scrubbed scrub,
        @Nullable List<DamagedCopy> damaged) {

    /** Of work with processes. */
    public Completion(
            long epoch,
            Outcome outcome,
            List<StageReport> stages,
            @Nullable Failure failure,
            @Nullable Saved save,
            @Nullable Thawed thaw,
            @Nullable List<Suspended> suspended,
            boolean workloadLost) {
        this(epoch, outcome, stages, failure, save, thaw, suspended, workloadLost, null, null, null, null, null);
    }

    /** The same, with what work on a tier has left, and what was found on the way. */
    public Completion with(@Nullable TierResult result, List<DamagedCopy> found) {
        return new Completion(
                epoch,
                outcome,
                stages,
                failure,
                save,
                thaw,
                suspended,
                workloadLost,
                result instanceof Transferred it ? it : null,
                result instanceof Evicted it ? it : null,
                result instanceof Swept it ? it : null,
                result instanceof Scrubbed it ? it : null,
                found.isEmpty() ? null : found);
    }

    /** What work on a tier leaves. */
    public sealed interface TierResult {}

    /**
     * @param objects of a shared store: all that the snapshot needs there
     * @param copyBytes what the snapshot's chunks take in the tier, those that were there before too; null when that is not known
     */
    public record Transferred(
            long bytesMoved,
            long bytesStored,
            double seconds,
            @Nullable List<StoredObject> objects,
            @Nullable Long copyBytes)
            implements TierResult {}

    public record Evicted(long freedBytes) implements TierResult {}

    public record Swept(long deletedBytes, int abortedUploads, List<StoredObject> objects, boolean complete)
            implements TierResult {}

    public record Scrubbed(long bytesRead, double seconds, List<ScrubVerdict> snapshots) implements TierResult {}

    /**
     * @param unread null unless the verdict is UNREADABLE
     * @param copyBytes of one that is GOOD, what its chunks take in the tier
     */
    public record ScrubVerdict(
            UUID snapshotId,
            String verdict,
            @Nullable String detail,
            @Nullable String unread,
            @Nullable Long copyBytes) {}

    /** A copy of a snapshot that was found wrong, also where another one helped. */
    public record DamagedCopy(UUID snapshotId, UUID storeId, String detail) {}

    public record StoredObject(String name, long sizeBytes) {}

    /** Of anything but a switch. */
    public Completion(
            long epoch,
            Outcome outcome,
            List<StageReport> stages,
            @Nullable Failure failure,
            @Nullable Saved save,
            @Nullable Thawed thaw,
            boolean workloadLost) {
        this(epoch, outcome, stages, failure, save, thaw, null, workloadLost);
    }

    public enum Outcome {
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    public record Failure(
            FailureCode code, String detail, @Nullable String stage, boolean retryable) {}

    /**
     * @param manifest its exact text: the digest is over these bytes
     * @param movedBytes of device memory that crossed the bus
     * @param rebuildableBytes of device memory that were left out because the application can rebuild them
     * @param copyBytes what the snapshot's chunks take in the node's store, those that were there before too; null when that is not known
     */
    public record Saved(
            String manifest,
            String manifestDigest,
            Totals totals,
            double pauseSeconds,
            boolean workloadAlive,
            long movedBytes,
            long rebuildableBytes,
            @Nullable Long copyBytes) {}

    public record Suspended(UUID snapshotId, Saved save) {}

    public record Totals(
            long vramBytes,
            long hostBytes,
            long logicalBytes,
            long storedBytes,
            long chunksTotal,
            long chunksStored,
            long chunksZero) {}

    /** @param bytesByTier bytes of chunks that were read, by the name of the tier that had them; {@code peer}: other nodes */
    public record Thawed(
            int pid,
            long startTimeTicks,
            String workloadName,
            double seconds,
            Map<String, Double> stageSeconds,
            @Nullable Double fillBytesPerSecond,
            @Nullable Double firstAnswerSeconds,
            @Nullable Map<String, Long> bytesByTier) {}
}
