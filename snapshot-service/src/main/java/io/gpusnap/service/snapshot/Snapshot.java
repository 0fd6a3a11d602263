package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.operation.FailureColumn;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.workload.Workload;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Embedded;
import jakarta.persistence.Entity;
import jakarta.persistence.EnumType;
import jakarta.persistence.Enumerated;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/** A frozen process. It can be restored exactly while it is READY, and it becomes READY by one change of its row. */
@Entity
@Table(name = "snapshot")
public class Snapshot {
    @Id
    private UUID id;

    private @Nullable UUID versionId;

    private String modelName;
    private String versionName;
    private UUID nodeId;
    private @Nullable UUID workloadId;
    private String workloadName;
    private String engine;

    @Enumerated(EnumType.STRING)
    private AfterSave afterSave;

    @Enumerated(EnumType.STRING)
    private SnapshotState state;

    private @Nullable String manifestDigest;

    @Embedded
    private @Nullable StoredTotals totals;

    private @Nullable Long distinctBytes;
    private @Nullable Double pauseSeconds;
    private @Nullable Long movedBytes;
    private @Nullable Long rebuildableBytes;

    private String classKey = "";

    @Convert(converter = NeedsColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable Needs needs;

    private int thawFailures;

    @Convert(converter = FailureColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable Failure failure;

    private @Nullable Instant verifiedAt;
    private @Nullable Instant readyAt;
    private Instant createdAt;
    private Instant updatedAt;

    @Version
    private @Nullable Long version;

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected Snapshot() {}

    Snapshot(SnapshotId id, ModelVersion version, Workload workload, Engine engine, AfterSave afterSave, Instant now) {
        this.id = id.value();
        this.versionId = version.id().value();
        this.modelName = version.modelName();
        this.versionName = version.name();
        this.nodeId = workload.nodeId().value();
        this.workloadId = workload.id().value();
        this.workloadName = workload.name();
        this.engine = engine.wireName();
        this.afterSave = afterSave;
        this.state = SnapshotState.CREATING;
        this.createdAt = now;
        this.updatedAt = now;
    }

    /** Its chunks and manifest are durable and proven. The daemon has just verified them. */
    void commit(Completion.SaveResult result, long distinctChunkBytes, Instant now) {
        to(SnapshotState.READY, now);
        manifestDigest = result.manifestDigest();
        totals = new StoredTotals(result.totals());
        distinctBytes = distinctChunkBytes;
        pauseSeconds = result.pauseSeconds();
        movedBytes = result.movedBytes();
        rebuildableBytes = result.rebuildableBytes();
        readyAt = now;
        verifiedAt = now;
    }

    /** What a node must be like, as its manifest says. */
    void requires(CompatibilityClass of, Needs besides) {
        classKey = of.key();
        needs = besides;
    }

    /** A thaw of it failed for a reason that may lie in it. Returns how many did so in a row. */
    int thawFailed() {
        return ++thawFailures;
    }

    void fail(Failure why, Instant now) {
        to(SnapshotState.FAILED, now);
        failure = why;
    }

    /** Never to be restored again. */
    void quarantine(Failure why, Instant now) {
        to(SnapshotState.QUARANTINED, now);
        failure = why;
    }

    void verified(Instant now) {
        if (state == SnapshotState.READY) {
            verifiedAt = now;
            updatedAt = now;
        }
    }

    void beginDelete(Instant now) {
        to(SnapshotState.DELETING, now);
    }

    void deleted(Instant now) {
        to(SnapshotState.DELETED, now);
    }

    private void to(SnapshotState next, Instant now) {
        if (!SnapshotState.Transition.allows(state, next)) {
            throw new IllegalStateException("snapshot " + id + " cannot go from " + state + " to " + next);
        }
        state = next;
        updatedAt = now;
    }

    public SnapshotId id() {
        return new SnapshotId(id);
    }

    public String modelName() {
        return modelName;
    }

    public String versionName() {
        return versionName;
    }

    /** Empty once the version was deleted. */
    public Optional<VersionId> versionId() {
        return Optional.ofNullable(versionId).map(VersionId::new);
    }

    /** Key of its compatibility class; empty where the manifest did not say. */
    public Optional<String> classKey() {
        return Optional.of(classKey).filter(key -> !key.isEmpty());
    }

    public Optional<Needs> needs() {
        return Optional.ofNullable(needs);
    }

    /** Where it was taken. */
    public NodeId nodeId() {
        return new NodeId(nodeId);
    }

    /** The process it was taken of; empty once that was forgotten. */
    public Optional<WorkloadId> workloadId() {
        return Optional.ofNullable(workloadId).map(WorkloadId::new);
    }

    public String workloadName() {
        return workloadName;
    }

    public Engine engine() {
        return Engine.of(engine);
    }

    public AfterSave afterSave() {
        return afterSave;
    }

    public SnapshotState state() {
        return state;
    }

    /** SHA-256 of the manifest's bytes, lower-case hex. */
    public Optional<String> manifestDigest() {
        return Optional.ofNullable(manifestDigest);
    }

    public Optional<Completion.Totals> totals() {
        return Optional.ofNullable(totals).map(StoredTotals::toTotals);
    }

    /** Bytes of its different chunks that are not zero: what one copy takes when nothing is shared. */
    public Optional<Long> distinctBytes() {
        return Optional.ofNullable(distinctBytes);
    }

    public Optional<Double> pauseSeconds() {
        return Optional.ofNullable(pauseSeconds);
    }

    public Optional<Long> movedBytes() {
        return Optional.ofNullable(movedBytes);
    }

    public Optional<Long> rebuildableBytes() {
        return Optional.ofNullable(rebuildableBytes);
    }

    /** Why it FAILED or is QUARANTINED. */
    public Optional<Failure> failure() {
        return Optional.ofNullable(failure);
    }

    public Optional<Instant> verifiedAt() {
        return Optional.ofNullable(verifiedAt);
    }

    public Optional<Instant> readyAt() {
        return Optional.ofNullable(readyAt);
    }

    public Instant createdAt() {
        return createdAt;
    }

    public Instant updatedAt() {
        return updatedAt;
    }

    /** For the ETag. */
    public long rowVersion() {
        return Objects.requireNonNull(version, "not saved yet");
    }
}
