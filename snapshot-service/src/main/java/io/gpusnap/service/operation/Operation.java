package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
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
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/**
 * Long work on one node. Claims and progress are single SQL statements ({@link OperationQueue}); every other transition
 * is a method here, checked against {@link OperationState.Transition}.
 */
@Entity
@Table(name = "operation")
public class Operation {
    @Id
    private UUID id;

    @Enumerated(EnumType.STRING)
    private OperationKind kind;

    @Enumerated(EnumType.STRING)
    private OperationState state;

    private UUID nodeId;
    private @Nullable UUID snapshotId;
    private @Nullable UUID storeId;
    private @Nullable UUID restoreId;
    private @Nullable UUID workloadId;
    private @Nullable String engine;

    @Column(columnDefinition = "jsonb", updatable = false)
    @ColumnTransformer(write = "?::jsonb")
    private String spec;

    @SuppressWarnings("UnusedVariable") // read by SQL only
    private int priority;

    private boolean cancelRequested;
    private long epoch;
    private int attempt;

    @SuppressWarnings("UnusedVariable") // read by SQL only
    private @Nullable Instant leaseUntil;

    @Convert(converter = StagesColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private List<StageReport> stages;

    @Convert(converter = FailureColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable Failure failure;

    private Instant createdAt;
    private @Nullable Instant startedAt;
    private @Nullable Instant finishedAt;

    @Version
    private @Nullable Long version;

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected Operation() {}

    Operation(OperationId id, NewOperation asked, String spec, Instant now) {
        this.id = id.value();
        this.kind = asked.spec().kind();
        this.state = OperationState.PENDING;
        this.nodeId = asked.node().value();
        SnapshotId about = asked.spec().snapshotId();
        this.snapshotId = about == null ? null : about.value();
        this.storeId = asked.store().map(StoreId::value).orElse(null);
        this.priority = asked.spec() instanceof TierSpec work ? work.priority().rank() : TransferPriority.OF_OTHERS;
        this.restoreId = asked.restore().map(RestoreId::value).orElse(null);
        this.workloadId = asked.workload().map(WorkloadId::value).orElse(null);
        this.engine = asked.engine() == null ? null : asked.engine().wireName();
        this.spec = spec;
        this.stages = List.of();
        this.createdAt = now;
    }

    /** A caller wants it to end: at once while nobody works on it, else when its daemon hears of it. */
    void requestCancel(Instant now) {
        if (state == OperationState.PENDING) {
            to(OperationState.CANCELLED);
            finishedAt = now;
        }
        cancelRequested = true;
    }

    /** Ends it; of an outcome that does not fit the state nothing is kept. */
    void finish(Outcome outcome, List<StageReport> lastStages, Instant now) {
        switch (outcome) {
            case Outcome.Saved saved -> to(OperationState.SUCCEEDED);
            case Outcome.Thawed thawed -> to(OperationState.SUCCEEDED);
            case Outcome.Switched switched -> to(OperationState.SUCCEEDED);
            case Outcome.Done done -> to(OperationState.SUCCEEDED);
            case Outcome.OfTier work -> to(OperationState.SUCCEEDED);
            case Outcome.Failed failed -> {
                to(OperationState.FAILED);
                failure = failed.failure();
            }
            case Outcome.SwitchedInPart part -> {
                to(OperationState.FAILED);
                failure = part.failure();
            }
            case Outcome.Cancelled cancelled -> to(OperationState.CANCELLED);
        }
        if (!lastStages.isEmpty()) {
            stages = List.copyOf(lastStages);
        }
        leaseUntil = null;
        finishedAt = now;
    }

    /** Fences off the daemon that may still be working on it: whatever it reports from now on is refused. */
    void fence() {
        epoch++;
    }

    private void to(OperationState next) {
        if (!OperationState.Transition.allows(state, next)) {
            throw new IllegalStateException("operation " + id + " cannot go from " + state + " to " + next);
        }
        state = next;
    }

    public OperationId id() {
        return new OperationId(id);
    }

    public OperationKind kind() {
        return kind;
    }

    public OperationState state() {
        return state;
    }

    public NodeId nodeId() {
        return new NodeId(nodeId);
    }

    /**
     * The snapshot that it is about.
     *
     * @throws IllegalStateException of a SWEEP or a SCRUB, which are about a store
     */
    public SnapshotId snapshotId() {
        return snapshot().orElseThrow(() -> new IllegalStateException("a " + kind + " is about no snapshot"));
    }

    public Optional<SnapshotId> snapshot() {
        return Optional.ofNullable(snapshotId).map(SnapshotId::new);
    }

    /** The store whose content it changes or reads; empty for what is not work on a tier. */
    public Optional<StoreId> storeId() {
        return Optional.ofNullable(storeId).map(StoreId::new);
    }

    public Optional<RestoreId> restoreId() {
        return Optional.ofNullable(restoreId).map(RestoreId::new);
    }

    public Optional<WorkloadId> workloadId() {
        return Optional.ofNullable(workloadId).map(WorkloadId::new);
    }

    /** As JSON. */
    String spec() {
        return spec;
    }

    /**
     * Of the snapshot.
     *
     * @throws IllegalStateException if it is about no snapshot
     */
    public Engine engine() {
        return engineIfAny().orElseThrow(() -> new IllegalStateException("a " + kind + " has no engine"));
    }

    Optional<Engine> engineIfAny() {
        return Optional.ofNullable(engine).map(Engine::of);
    }

    public boolean cancelRequested() {
        return cancelRequested;
    }

    /** Fencing epoch of the latest claim; 0 before the first. */
    public long epoch() {
        return epoch;
    }

    /** Number of claims. */
    public int attempt() {
        return attempt;
    }

    public List<StageReport> stages() {
        return stages;
    }

    public Optional<Failure> failure() {
        return Optional.ofNullable(failure);
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Optional<Instant> startedAt() {
        return Optional.ofNullable(startedAt);
    }

    public Optional<Instant> finishedAt() {
        return Optional.ofNullable(finishedAt);
    }
}
