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
 */
public record Completion(
        long epoch,
        Outcome outcome,
        List<StageReport> stages,
        @Nullable Failure failure,
        @Nullable Saved save,
        @Nullable Thawed thaw,
        @Nullable List<Suspended> suspended,
        boolean workloadLost) {

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
     */
    public record Saved(
            String manifest,
            String manifestDigest,
            Totals totals,
            double pauseSeconds,
            boolean workloadAlive,
            long movedBytes,
            long rebuildableBytes) {}

    public record Suspended(UUID snapshotId, Saved save) {}

    public record Totals(
            long vramBytes,
            long hostBytes,
            long logicalBytes,
            long storedBytes,
            long chunksTotal,
            long chunksStored,
            long chunksZero) {}

    public record Thawed(
            int pid,
            long startTimeTicks,
            String workloadName,
            double seconds,
            Map<String, Double> stageSeconds,
            @Nullable Double fillBytesPerSecond,
            @Nullable Double firstAnswerSeconds) {}
}
