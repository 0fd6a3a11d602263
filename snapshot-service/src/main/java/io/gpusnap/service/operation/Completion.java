package io.gpusnap.service.operation;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import io.gpusnap.service.platform.id.SnapshotId;
import io.swagger.v3.oas.annotations.media.Schema;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.NotNull;
import jakarta.validation.constraints.Pattern;
import jakarta.validation.constraints.Positive;
import jakarta.validation.constraints.PositiveOrZero;
import jakarta.validation.constraints.Size;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a daemon reports at the end of an operation.
 *
 * @param epoch the claim's
 * @param workloadLost the workload did not survive
 * @param damaged copies that were found wrong on the way
 */
public record Completion(
        long epoch, List<StageReport> stages, Outcome outcome, boolean workloadLost, List<DamagedCopy> damaged) {

    /** The three ways to end. */
    @Schema(name = "OutcomeKind")
    public enum OutcomeKind {
        SUCCEEDED,
        FAILED,
        CANCELLED
    }

    /**
     * What a finished SAVE leaves.
     *
     * @param manifest the manifest's exact text. A string, not an object: its digest is over these very bytes (UTF-8),
     *     which no JSON parser in between keeps
     * @param manifestDigest SHA-256 of the manifest's bytes, lower-case hex
     * @param pauseSeconds how long the workload stood still
     * @param workloadAlive whether the process still exists: resumed, or frozen by {@code suspend}
     * @param movedBytes of device memory that crossed the bus: what was neither zero, nor repeated, nor in the node's memory
     *     tier already
     * @param rebuildableBytes of device memory that were left out because the application can rebuild them
     * @param copyBytes what the snapshot's chunks take in the node's own store, those that were there before too; absent from older daemons
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "SaveResult")
    public record SaveResult(
            @NotBlank String manifest,

            @NotNull @Pattern(regexp = "[0-9a-f]{64}", message = "must be 64 lower-case hex digits")
            String manifestDigest,

            @NotNull @Valid Totals totals,
            @PositiveOrZero double pauseSeconds,
            boolean workloadAlive,
            @PositiveOrZero @Nullable Long movedBytes,
            @PositiveOrZero @Nullable Long rebuildableBytes,
            @PositiveOrZero @Nullable Long copyBytes) {}

    /** Who made room in a finished SWITCH, and what it is frozen as. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "SuspendResult")
    public record SuspendResult(
            @NotNull SnapshotId snapshotId, @NotNull @Valid SaveResult save) {}

    /** Sizes of a snapshot, the same as in its manifest. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "SnapshotTotals")
    public record Totals(
            @PositiveOrZero long vramBytes,
            @PositiveOrZero long hostBytes,
            @PositiveOrZero long logicalBytes,
            @PositiveOrZero long storedBytes,
            @PositiveOrZero long chunksTotal,
            @PositiveOrZero long chunksStored,
            @PositiveOrZero long chunksZero) {}

    /**
     * What a finished THAW leaves.
     *
     * @param seconds from the claim to a healthy process
     * @param fillBytesPerSecond bytes brought to the devices per second in which some were on their way: waiting for a store does not
     *     count; absent where there were none
     * @param firstAnswerSeconds from the claim to the right answer of the task's probe, absent where it had none
     * @param bytesByTier bytes of chunks that were read, by the name of the tier that had them
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @Schema(name = "ThawResult")
    public record ThawResult(
            @Positive int pid,
            @PositiveOrZero long startTimeTicks,
            @NotBlank @Size(max = 63) String workloadName,
            @PositiveOrZero double seconds,
            @Nullable @Size(max = 100) Map<String, Double> stageSeconds,
            @PositiveOrZero @Nullable Double fillBytesPerSecond,
            @PositiveOrZero @Nullable Double firstAnswerSeconds,
            @Nullable @Size(max = 64) Map<String, Long> bytesByTier) {}
}
