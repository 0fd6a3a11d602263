package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.OperationState;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/**
 * What a caller wanted back: what was decided, each way that was tried, and what came of it. How far a way is, its
 * operation knows. Once it has an outcome nothing of it changes.
 */
@Entity
@Table(name = "restore")
public class Restore {
    @Id
    private UUID id;

    private @Nullable UUID snapshotId;
    private @Nullable UUID nodeId;
    private String modelName;
    private String versionName;
    private @Nullable String alias;
    private @Nullable String replicaKey;
    private @Nullable UUID rolloutId;
    private @Nullable Integer recoveryPriority;

    @Convert(converter = KeptWishColumn.class)
    @Column(columnDefinition = "jsonb", updatable = false)
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable KeptWish wish;

    @Convert(converter = DecisionColumn.class)
    @Column(columnDefinition = "jsonb", updatable = false)
    @ColumnTransformer(write = "?::jsonb")
    private Decision decision;

    @Convert(converter = AttemptsColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private List<Attempt> attempts;

    @Enumerated(EnumType.STRING)
    private @Nullable Outcome outcome;

    @Convert(converter = ColdStartColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable ColdStart coldReason;

    private @Nullable UUID workloadId;
    private @Nullable Integer pid;
    private @Nullable Double thawSeconds;
    private @Nullable Double firstAnswerSeconds;

    @Convert(converter = SecondsColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable Map<String, Double> stageSeconds;

    private @Nullable Double fillBytesPerSecond;
    private Instant createdAt;
    private @Nullable Instant endedAt;

    @Version
    private @Nullable Long version;

    /** How it ended. */
    enum Outcome {
        RESTORED,
        COLD,
        FAILED,
        CANCELLED
    }

    /**
     * What it is a restore of.
     *
     * @param alias that was asked for
     * @param rollout that chose the version
     * @param recoveryPriority it is done again elsewhere when its node is lost, greater first; absent is never
     */
    record Target(
            String model,
            String version,
            @Nullable String alias,
            @Nullable String replicaKey,
            @Nullable RolloutId rollout,
            @Nullable Integer recoveryPriority) {}

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected Restore() {}

    Restore(RestoreId id, Target target, @Nullable KeptWish wish, Decision decision, Instant now) {
        this.id = id.value();
        this.modelName = target.model();
        this.versionName = target.version();
        this.alias = target.alias();
        this.replicaKey = target.replicaKey();
        this.rolloutId = target.rollout() == null ? null : target.rollout().value();
        this.recoveryPriority = target.recoveryPriority();
        this.wish = wish;
        this.decision = decision;
        this.attempts = List.of();
        this.createdAt = now;
    }

    /** It is to come back from this snapshot on this node, by somebody else's operation. */
    void goes(SnapshotId snapshot, NodeId node) {
        requireOpen();
        snapshotId = snapshot.value();
        nodeId = node.value();
    }

    /** This way is tried now. */
    void tries(Decision.Step step, OperationId operation, Instant now) {
        goes(required(step.snapshotId()), required(step.nodeId()));
        List<Attempt> more = new ArrayList<>(attempts);
        more.add(new Attempt(
                more.size() + 1, step.way(), snapshotId(), nodeId(), operation, step.reason(), now, null, null, null));
        attempts = List.copyOf(more);
    }

    /** The process is back. */
    void thawed(WorkloadId workload, Completion.ThawResult result, Instant now) {
        end(Outcome.RESTORED, now);
        endAttempt(OperationState.SUCCEEDED, null, now);
        workloadId = workload.value();
        pid = result.pid();
        thawSeconds = result.seconds();
        stageSeconds = result.stageSeconds();
        fillBytesPerSecond = result.fillBytesPerSecond();
        firstAnswerSeconds = result.firstAnswerSeconds();
    }

    /** The way that was tried did not lead back; the restore itself goes on. */
    void attemptFailed(Failure why, Instant now) {
        requireOpen();
        endAttempt(OperationState.FAILED, why, now);
    }

    void cold(ColdStart why, Instant now) {
        end(Outcome.COLD, now);
        coldReason = why;
    }

    void failed(Instant now) {
        end(Outcome.FAILED, now);
    }

    void cancelled(Instant now) {
        end(Outcome.CANCELLED, now);
        endAttempt(OperationState.CANCELLED, null, now);
    }

    private void end(Outcome how, Instant now) {
        requireOpen();
        outcome = how;
        endedAt = now;
    }

    private void requireOpen() {
        if (outcome != null) {
            throw new IllegalStateException("restore " + id + " is " + outcome + " already");
        }
    }

    private void endAttempt(OperationState how, @Nullable Failure why, Instant now) {
        if (!attempts.isEmpty() && attempts.getLast().ended() == null) {
            List<Attempt> changed = new ArrayList<>(attempts);
            changed.set(changed.size() - 1, changed.getLast().end(how, why, now));
            attempts = List.copyOf(changed);
        }
    }

    private static <T> T required(@Nullable T part) {
        if (part == null) {
            throw new IllegalArgumentException("a way back names its snapshot and its node");
        }
        return part;
    }

    public RestoreId id() {
        return new RestoreId(id);
    }

    /** What is tried, or was tried last; none when there was nothing to try. */
    public Optional<SnapshotId> triedSnapshot() {
        return Optional.ofNullable(snapshotId).map(SnapshotId::new);
    }

    public Optional<NodeId> triedNode() {
        return Optional.ofNullable(nodeId).map(NodeId::new);
    }

    private SnapshotId snapshotId() {
        return triedSnapshot().orElseThrow();
    }

    private NodeId nodeId() {
        return triedNode().orElseThrow();
    }

    public String modelName() {
        return modelName;
    }

    public String versionName() {
        return versionName;
    }

    public Optional<String> alias() {
        return Optional.ofNullable(alias);
    }

    public Optional<String> replicaKey() {
        return Optional.ofNullable(replicaKey);
    }

    public Optional<RolloutId> rolloutId() {
        return Optional.ofNullable(rolloutId).map(RolloutId::new);
    }

    /** It is done again elsewhere when its node is lost, greater first; empty is never. */
    public Optional<Integer> recoveryPriority() {
        return Optional.ofNullable(recoveryPriority);
    }

    /** Empty for a restore by a switch. */
    Optional<KeptWish> wish() {
        return Optional.ofNullable(wish);
    }

    public Decision decision() {
        return decision;
    }

    public List<Attempt> attempts() {
        return attempts;
    }

    Set<Decider.Tried> tried() {
        return attempts.stream()
                .map(attempt -> new Decider.Tried(attempt.snapshotId(), attempt.nodeId()))
                .collect(Collectors.toSet());
    }

    /** Where the first of its thaws was tried; empty while none was. */
    Optional<NodeId> firstThawedOn() {
        return attempts.stream()
                .filter(attempt -> attempt.way() == Decision.Way.THAW)
                .findFirst()
                .map(Attempt::nodeId);
    }

    boolean isOpen() {
        return outcome == null;
    }

    /** What to do when nothing comes back; empty unless that is so. */
    public Optional<ColdStart> coldStart() {
        return Optional.ofNullable(coldReason);
    }

    /** The process that came back; empty until then, and once it was forgotten. */
    public Optional<WorkloadId> workloadId() {
        return Optional.ofNullable(workloadId).map(WorkloadId::new);
    }

    public Optional<Integer> pid() {
        return Optional.ofNullable(pid);
    }

    public Optional<Double> thawSeconds() {
        return Optional.ofNullable(thawSeconds);
    }

    /** Until the process had answered its version's oracle. */
    public Optional<Double> firstAnswerSeconds() {
        return Optional.ofNullable(firstAnswerSeconds);
    }

    public Optional<Map<String, Double>> stageSeconds() {
        return Optional.ofNullable(stageSeconds);
    }

    public Optional<Double> fillBytesPerSecond() {
        return Optional.ofNullable(fillBytesPerSecond);
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Optional<Instant> endedAt() {
        return Optional.ofNullable(endedAt);
    }
}
