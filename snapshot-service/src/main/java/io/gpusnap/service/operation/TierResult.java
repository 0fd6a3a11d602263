package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.SnapshotId;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What work on a tier leaves. */
public sealed interface TierResult {

    /**
     * A finished TRANSFER.
     *
     * @param bytesMoved bytes of chunks that were read and written; the tier had the others already
     * @param bytesStored bytes that the tier holds more than before, manifest and indexes included
     * @param seconds from the claim to the proof that it is durable
     * @param objects of a shared store: every object that the snapshot needs there, those that were there before too. An
     *     object's name is never used a second time, not even for the same bytes: what is late deletes nothing new.
     * @param copyBytes what the snapshot's chunks take in the tier, those that were there before too; absent from older daemons, and of
     *     a copy in memory
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "TransferResult")
    record Transferred(
            @PositiveOrZero long bytesMoved,
            @PositiveOrZero long bytesStored,
            @PositiveOrZero double seconds,
            @Nullable @Size(max = 100_000) List<@Valid StoredObject> objects,
            @PositiveOrZero @Nullable Long copyBytes)
            implements TierResult {}

    /** A finished EVICT. {@code freedBytes} is what the tier holds less than before. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "EvictResult")
    record Evicted(@PositiveOrZero long freedBytes) implements TierResult {}

    /**
     * A finished SWEEP.
     *
     * @param deletedBytes of the objects that were there to be deleted
     * @param abortedUploads unfinished multipart uploads that were aborted
     * @param objects what the store has, by name ascending
     * @param complete whether the list goes to the end of the store
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "SweepResult")
    record Swept(
            @PositiveOrZero long deletedBytes,
            @PositiveOrZero int abortedUploads,
            @NotNull @Size(max = 100_000) List<@Valid StoredObject> objects,
            boolean complete)
            implements TierResult {}

    /** A finished SCRUB: one verdict for each snapshot that was asked about. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "ScrubResult")
    record Scrubbed(
            @PositiveOrZero long bytesRead,
            @PositiveOrZero double seconds,
            @NotNull @Size(max = 10_000) List<@Valid ScrubVerdict> snapshots)
            implements TierResult {}

    /**
     * What a scrub found of one snapshot.
     *
     * @param detail what is wrong
     * @param unread why it is UNREADABLE; absent from older daemons, and with other verdicts
     * @param copyBytes of one that is GOOD, what its chunks take in the tier; absent from older daemons
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "ScrubVerdict")
    record ScrubVerdict(
            @NotNull SnapshotId snapshotId,
            @NotNull Verdict verdict,
            @Nullable @Size(max = 10_000) String detail,
            @Nullable Unread unread,
            @PositiveOrZero @Nullable Long copyBytes) {}

    /** Verdicts of a scrub. UNREADABLE: it could not be read there and then, so nothing is known and nothing is condemned. */
    @Schema(name = "Verdict")
    enum Verdict {
        GOOD,
        CORRUPT,
        MISSING,
        UNREADABLE
    }

    /** Why a copy could not be read. */
    @Schema(name = "Unread")
    enum Unread {
        /** The node cannot open what it is encrypted by. */
        NO_KEY,
        /** The node asks for signatures, and trusts nobody who signed it. */
        UNTRUSTED_SIGNER,
        /** The tier did not answer, or is in trouble. */
        NO_ANSWER,
        /** Something worked with it then. */
        IN_USE
    }

    /** An object of a shared store. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "StoredObject")
    record StoredObject(
            @NotBlank @Size(max = 512) String name,
            @PositiveOrZero long sizeBytes) {}
}
