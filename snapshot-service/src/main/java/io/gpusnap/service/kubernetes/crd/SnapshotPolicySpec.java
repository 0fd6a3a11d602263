package io.gpusnap.service.kubernetes.crd;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.LabelSelector;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a policy says.
 *
 * @param version of the model; absent: the container's image and what it is told to run name it
 * @param container the one with the GPU process; absent: the first
 * @param maxAttempts so many snapshots of a version may fail before the policy gives up
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
        value =
                "(has(self.selector.matchLabels) && size(self.selector.matchLabels) > 0) || (has(self.selector.matchExpressions) && size(self.selector.matchExpressions) > 0)",
        message = "an empty selector would take every pod of the namespace")
@ValidationRule(
        value = "has(self.version) == has(oldSelf.version)",
        message = "whether a version is named cannot change; make another policy")
@ValidationRule(value = "self.model == oldSelf.model", message = "model cannot change; make another policy")
public record SnapshotPolicySpec(
        @Required @JsonPropertyDescription("Pods of this namespace that the policy is for.")
        LabelSelector selector,

        @Required
        @Pattern(Crd.DNS_LABEL)
        @JsonPropertyDescription("Name of the model in the catalogue; it is made if it is not there.")
        String model,

        @Pattern(Crd.DNS_LABEL)
        @JsonPropertyDescription(
                "Version of the model. Absent: the digest or tag of the container's image names it, with a digest of command, arguments and environment.")
        @Nullable
        String version,

        @Pattern(Crd.DNS_LABEL)
        @JsonPropertyDescription(
                "The container with the GPU process. Absent: the first one. Pods whose first one is another also need it in their annotation gpusnap.io/container.")
        @Nullable
        String container,

        @Default("criu+cuda") @JsonPropertyDescription("How the process is frozen.") @Nullable
        Engine engine,

        @JsonPropertyDescription("When a pod is warm enough for a snapshot.") @Nullable
        Readiness readiness,

        @JsonPropertyDescription("How a pod comes to rest before it is frozen.") @Nullable
        Quiesce quiesce,

        @JsonPropertyDescription("How pods start from snapshots.") @Nullable
        Restore restore,

        @JsonPropertyDescription("Where snapshots are kept.") @Nullable
        Tiering tiering,

        @JsonPropertyDescription("How many snapshots are kept, and how long.") @Nullable
        Retention retention,

        @JsonPropertyDescription("What follows the first READY snapshot of a version.") @Nullable
        Rollout rollout,

        @Default("Retain") @JsonPropertyDescription("deletionPolicy of the snapshots that the policy takes.") @Nullable
        DeletionPolicy deletionPolicy,

        @Min(1)
        @Max(10)
        @Default("3")
        @JsonPropertyDescription("So many snapshots of a version may fail before the policy gives up.")
        @Nullable
        Integer maxAttempts,

        @JsonPropertyDescription("Takes no new snapshots while true.") @Nullable
        Boolean suspended) {

    public static final int DEFAULT_WARM_UP_SECONDS = 30;
    public static final int DEFAULT_QUIESCE_SECONDS = 30;
    public static final int LEAST_RETRY_SECONDS = 60;
    public static final int DEFAULT_RESTORE_SECONDS = 300;
    public static final int DEFAULT_ATTEMPTS = 3;

    /** Engines that leave a snapshot which a new pod can start from. */
    public enum Engine {
        @JsonProperty("criu+cuda")
        CRIU_CUDA
    }

    /** A kind of tier that outlives the process. */
    public enum Tier {
        NVME,
        NFS,
        S3
    }

    /** A kind of tier that several nodes share. */
    public enum SharedTier {
        NFS,
        S3
    }

    /**
     * When a pod is warm enough.
     *
     * @param conditionTypes of the pod, which have to be True besides Ready
     * @param warmUpSeconds since all of them are True
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Readiness(
            @Size(max = 16)
            @JsonPropertyDescription("Conditions of the pod that have to be True besides Ready.")
            @Nullable
            List<String> conditionTypes,

            @Min(0)
            @Max(86_400)
            @Default("30")
            @JsonPropertyDescription("So long all of them have to be True.")
            @Nullable
            Integer warmUpSeconds) {}

    /**
     * How a pod comes to rest. Its application's quiesce callbacks run (docs/hints.md), each of which may refuse, and its GPU becomes
     * idle; else it goes on as before, and another attempt is made later.
     *
     * @param timeoutSeconds for all of that
     * @param retryAfterSeconds a pod that refused or took too long is left alone for so long; absent: {@code timeoutSeconds},
     *     and 60 at least
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value =
                    "!has(self.retryAfterSeconds) || !has(self.timeoutSeconds) || self.retryAfterSeconds >= self.timeoutSeconds",
            message = "retryAfterSeconds must not be shorter than timeoutSeconds: a pod has to get on with its work")
    public record Quiesce(
            @Min(1)
            @Max(600)
            @Default("30")
            @JsonPropertyDescription(
                    "So long the application's quiesce callbacks may take, and the GPU to become idle.")
            @Nullable
            Integer timeoutSeconds,

            @Min(1)
            @Max(86_400)
            @JsonPropertyDescription(
                    "So long a pod that refused or took too long is left alone. Absent: timeoutSeconds, and 60 at least.")
            @Nullable
            Integer retryAfterSeconds) {

        /** Seconds. */
        public int timeout() {
            return timeoutSeconds == null ? DEFAULT_QUIESCE_SECONDS : timeoutSeconds;
        }

        /** Seconds. */
        public int retryAfter() {
            return retryAfterSeconds == null ? Math.max(timeout(), LEAST_RETRY_SECONDS) : retryAfterSeconds;
        }
    }

    /** What is said of it, or what holds without a word. */
    public Quiesce quiesceOrDefault() {
        return quiesce == null ? new Quiesce(null, null) : quiesce;
    }

    /**
     * How pods start.
     *
     * @param timeoutSeconds after which a pod starts cold
     * @param recoveryPriority of the restore, see the REST API
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Restore(
            @Min(5) @Max(3600) @Default("300") @JsonPropertyDescription("After this time a pod starts cold.") @Nullable
            Integer timeoutSeconds) {}

    /**
     * Where snapshots are kept.
     *
     * @param minimumCopies durable ones
     * @param archive what was not used for long is only kept in one kind of store
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "has(self.minimumCopies) || has(self.archive)",
            message = "tiering needs minimumCopies or archive")
    public record Tiering(
            @Min(1) @Max(16) @JsonPropertyDescription("Durable copies, each in another store.") @Nullable
            Integer minimumCopies,

            @JsonPropertyDescription("What was not used for long is only kept in one kind of store.") @Nullable
            Archive archive) {}

    /** Where to, and when. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Archive(
            @Required @JsonPropertyDescription("NFS or S3.") SharedTier to,

            @Required @Min(1) @Max(87_600) @JsonPropertyDescription("Hours since it was taken or thawed last.")
            Integer unusedHours) {}

    /** How many are kept of each version, and how long. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "has(self.keepNewest) || has(self.maxAgeHours)",
            message = "retention needs keepNewest or maxAgeHours")
    public record Retention(
            @Min(1) @Max(1000) @JsonPropertyDescription("So many of each version are kept.") @Nullable
            Integer keepNewest,

            @Min(1)
            @Max(876_000)
            @JsonPropertyDescription("Hours since it was taken or thawed last, after which it goes.")
            @Nullable
            Integer maxAgeHours) {}

    /**
     * What follows a version's first READY snapshot: the alias is made, or rolled over to the version.
     *
     * @param steps as of the REST API; absent: at once
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Rollout(
            @Required
            @Pattern(Crd.DNS_LABEL)
            @JsonPropertyDescription("Alias of the model; new pods start from the version that it stands for.")
            String alias,

            @Size(max = 50) @JsonPropertyDescription("Steps to the new version. Absent: at once.") @Nullable
            List<Step> steps) {}

    /**
     * One step; one member is there.
     *
     * @param setWeight so many of a hundred restores get the new version
     * @param pauseSeconds 0 waits until somebody promotes it
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    @ValidationRule(
            value = "has(self.setWeight) != has(self.pauseSeconds)",
            message = "a step has either setWeight or pauseSeconds")
    public record Step(
            @Min(0) @Max(100) @JsonPropertyDescription("So many of a hundred restores get the new version.") @Nullable
            Integer setWeight,

            @Min(0) @Max(31_536_000) @JsonPropertyDescription("Waits so long; 0 until somebody promotes it.") @Nullable
            Integer pauseSeconds) {}
}
