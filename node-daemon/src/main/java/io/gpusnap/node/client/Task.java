package io.gpusnap.node.client;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.gpusnap.node.operation.OperationKind;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A claimed operation. The member named like the kind is present.
 *
 * @param epoch goes with every report on it
 * @param attempt 1 at the first claim
 */
public record Task(
        UUID operationId,
        long epoch,
        int attempt,
        OperationKind kind,
        @Nullable Save save,
        @Nullable Thaw thaw,
        @JsonProperty("switch") @Nullable Switch switchTo,
        @Nullable Verify verify,
        @Nullable Delete delete,
        @Nullable Transfer transfer,
        @Nullable Evict evict,
        @Nullable Sweep sweep,
        @Nullable Scrub scrub) {

    /**
     * @param afterSave KEEP_RUNNING or STOP
     * @param suspendDepth of engine suspend: CONTEXT_RELEASED, which is also what its absence means, or CONTEXT_KEPT
     * @param quiesceTimeoutSeconds so long the workload may take to come to rest; absent is the daemon's own limit
     */
    public record Save(
            UUID snapshotId,
            String engine,
            Process workload,
            String afterSave,
            @Nullable Map<String, String> facts,
            @Nullable String suspendDepth,
            @Nullable Integer quiesceTimeoutSeconds) {}

    public record Process(int pid, long startTimeTicks, String name) {}

    /**
     * @param gpuRemap GPU ordinal in the manifest to GPU UUID here
     * @param probe what the process has to answer; absent from services that do not ask it
     * @param container that it goes into; absent for a workload of the node itself
     * @param sources tiers of this node that have a good copy, the one to be read first first; absent in work by hand
     */
    public record Thaw(
            UUID snapshotId,
            String engine,
            @Nullable String manifestDigest,
            @Nullable Map<Integer, String> gpuRemap,
            @Nullable Probe probe,
            @Nullable Container container,
            @Nullable List<TierRef> sources) {}

    /** @param containerId without a scheme */
    public record Container(String podUid, String containerId) {}

    /**
     * @param port absent is the first one that the process listens on
     * @param body sent by POST; absent asks by GET
     * @param expectedTokens that the answer has in it, in this order
     */
    public record Probe(
            @Nullable Integer port,
            String path,
            @Nullable String body,
            @Nullable String contentType,
            int expectedStatus,
            List<String> expectedTokens,
            int timeoutSeconds) {}

    /**
     * @param gpuUuid the GPU that the process to be resumed is on
     * @param policy EVICT_IF_NEEDED or SUSPEND_OTHERS
     * @param candidates who may have to make room, the first first
     * @param preempt whether thaws of this node end for it
     */
    public record Switch(
            UUID snapshotId,
            @Nullable String manifestDigest,
            @Nullable String gpuUuid,
            String policy,
            List<Candidate> candidates,
            boolean preempt) {}

    /** @param snapshotId what it is then frozen as */
    public record Candidate(
            UUID snapshotId, Process workload, @Nullable Map<String, String> facts) {}

    public record Verify(UUID snapshotId, @Nullable String manifestDigest) {}

    public record Delete(UUID snapshotId) {}

    /** @param storeId what must be behind the name; null in work by hand */
    public record TierRef(String name, @Nullable UUID storeId) {}

    /** How soon: URGENT, NORMAL or BACKGROUND. */
    public static final String URGENT = "URGENT";

    public static final String NORMAL = "NORMAL";

    /**
     * @param from where to read; null: wherever it is found first
     * @param maxBytesPerSecond of all transfers of the node together; null for no bound
     */
    public record Transfer(
            UUID snapshotId,
            @Nullable String manifestDigest,
            @Nullable TierRef from,
            TierRef tier,
            String priority,
            @Nullable Long maxBytesPerSecond) {}

    public record Evict(UUID snapshotId, TierRef tier, String priority) {}

    /** @param listAfter null: from the first */
    public record Sweep(
            TierRef tier,
            UUID serviceId,
            List<String> delete,
            @Nullable String listAfter,
            int listLimit,
            long abortUploadsAfterSeconds,
            String priority) {}

    public record Scrub(TierRef tier, List<ScrubSubject> snapshots, long maxBytesPerSecond, String priority) {}

    public record ScrubSubject(UUID snapshotId, String manifestDigest) {}
}
