package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import jakarta.persistence.Version;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.hibernate.annotations.ColumnTransformer;
import org.jspecify.annotations.Nullable;

/** A snapshot brought back on a node. How far it is, its operation knows; here is what was decided and what came of it. */
@Entity
@Table(name = "restore")
public class Restore {
    @Id
    private UUID id;

    private UUID snapshotId;
    private UUID nodeId;

    @Convert(converter = DecisionColumn.class)
    @Column(columnDefinition = "jsonb", updatable = false)
    @ColumnTransformer(write = "?::jsonb")
    private Decision decision;

    private @Nullable UUID workloadId;
    private @Nullable Integer pid;
    private @Nullable Double thawSeconds;

    @Convert(converter = SecondsColumn.class)
    @Column(columnDefinition = "jsonb")
    @ColumnTransformer(write = "?::jsonb")
    private @Nullable Map<String, Double> stageSeconds;

    private @Nullable Double fillBytesPerSecond;
    private Instant createdAt;

    @Version
    private @Nullable Long version;

    /** For JPA. */
    @SuppressWarnings("NullAway.Init")
    protected Restore() {}

    Restore(RestoreId id, SnapshotId snapshot, NodeId node, Decision decision, Instant now) {
        this.id = id.value();
        this.snapshotId = snapshot.value();
        this.nodeId = node.value();
        this.decision = decision;
        this.createdAt = now;
    }

    /** The process is back. */
    void thawed(WorkloadId workload, Completion.ThawResult result) {
        if (workloadId != null) {
            throw new IllegalStateException("restore " + id + " has its process already");
        }
        workloadId = workload.value();
        pid = result.pid();
        thawSeconds = result.seconds();
        stageSeconds = result.stageSeconds();
        fillBytesPerSecond = result.fillBytesPerSecond();
    }

    public RestoreId id() {
        return new RestoreId(id);
    }

    public SnapshotId snapshotId() {
        return new SnapshotId(snapshotId);
    }

    public NodeId nodeId() {
        return new NodeId(nodeId);
    }

    public Decision decision() {
        return decision;
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

    public Optional<Map<String, Double>> stageSeconds() {
        return Optional.ofNullable(stageSeconds);
    }

    public Optional<Double> fillBytesPerSecond() {
        return Optional.ofNullable(fillBytesPerSecond);
    }

    public Instant createdAt() {
        return createdAt;
    }
}
