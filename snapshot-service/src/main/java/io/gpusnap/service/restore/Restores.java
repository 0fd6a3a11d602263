package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.NewOperation;
import io.gpusnap.service.operation.Operation;
import io.gpusnap.service.operation.OperationSpec;
import io.gpusnap.service.operation.Operations;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.version.ModelVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Restores: choose, record why, queue the THAW. */
@Service
public class Restores {
    private final RestoreRepository restores;
    private final Snapshots snapshots;
    private final ModelVersions versions;
    private final Placement placement;
    private final Operations operations;
    private final DatabaseClock clock;

    Restores(
            RestoreRepository restores,
            Snapshots snapshots,
            ModelVersions versions,
            Placement placement,
            Operations operations,
            DatabaseClock clock) {
        this.restores = restores;
        this.snapshots = snapshots;
        this.versions = versions;
        this.placement = placement;
        this.operations = operations;
        this.clock = clock;
    }

    /** What a caller wants back. */
    public sealed interface Wish {}

    /** This very snapshot. */
    public record ThatSnapshot(SnapshotId snapshot) implements Wish {}

    /** The newest READY snapshot of a model version that can come back. */
    public record LatestOf(String model, String version) implements Wish {}

    /** A restore, its snapshot and its operation. */
    public record View(Restore restore, Snapshot snapshot, Operation operation) {}

    /**
     * Chooses snapshot and node, keeps why, and queues the THAW.
     *
     * @param node where, or empty to let the service choose
     * @throws ApiException CONFLICT, SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_READY, SNAPSHOT_QUARANTINED, NO_NODE, NODE_SILENT,
     *     NODE_UNSCHEDULABLE, CAPABILITY_MISSING, WORKLOAD_LOST, WORKLOAD_BUSY
     */
    @Transactional
    public View create(Wish wish, Optional<NodeId> node) {
        List<String> reasons = new ArrayList<>();
        Snapshot snapshot = snapshots.lockReady(choose(wish, reasons));
        requireNotResumed(snapshot);
        Placement.Choice choice = placement.choose(snapshot, node);
        reasons.addAll(choice.reasons());
        Restore restore = restores.saveAndFlush(new Restore(
                RestoreId.next(),
                snapshot.id(),
                choice.node().id(),
                new Decision(List.copyOf(reasons), choice.rejected()),
                clock.now()));
        Operation operation = operations.queue(new NewOperation(
                choice.node().id(),
                new OperationSpec.Thaw(
                        snapshot.id(),
                        snapshot.engine(),
                        snapshot.manifestDigest().orElseThrow(),
                        Map.of()),
                snapshot.engine(),
                suspendedProcess(snapshot),
                Optional.of(restore.id())));
        return new View(restore, snapshot, operation);
    }

    /**
     * Reads a restore.
     *
     * @throws ApiException RESTORE_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public View get(RestoreId id) {
        Restore restore = restores.findById(id.value())
                .orElseThrow(() -> new ApiException(ErrorCode.RESTORE_NOT_FOUND, "No restore has the id " + id + "."));
        return views(List.of(restore)).getFirst();
    }

    /** Newest first. */
    @Transactional(readOnly = true)
    public Page<View> list(PageQuery query) {
        Specification<Restore> after = query.afterId()
                .<Specification<Restore>>map(id -> (root, criteria, build) -> build.lessThan(root.get("id"), id))
                .orElse((root, criteria, build) -> build.conjunction());
        List<Restore> rows = restores.findBy(
                after,
                found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                        .limit(query.size() + 1)
                        .all());
        return Page.of(query, views(rows), view -> view.restore().id().toString());
    }

    private SnapshotId choose(Wish wish, List<String> reasons) {
        return switch (wish) {
            case ThatSnapshot that -> {
                reasons.add("The caller named the snapshot.");
                yield that.snapshot();
            }
            case LatestOf latest -> {
                versions.get(latest.model(), latest.version());
                SnapshotId id = restores.newestThatCanComeBack(latest.model(), latest.version())
                        .map(SnapshotId::new)
                        .orElseThrow(() -> new ApiException(
                                ErrorCode.SNAPSHOT_NOT_READY,
                                "Version " + latest.version() + " of " + latest.model()
                                        + " has no READY snapshot that can come back."));
                reasons.add("It is the newest READY snapshot of " + latest.model() + " " + latest.version()
                        + " that can come back.");
                yield id;
            }
        };
    }

    /** A restore that a switch does; it decides and queues itself. */
    @Transactional(propagation = Propagation.MANDATORY)
    public RestoreId bySwitch(SnapshotId snapshot, NodeId node, String reason) {
        return restores.saveAndFlush(new Restore(
                        RestoreId.next(), snapshot, node, new Decision(List.of(reason), List.of()), clock.now()))
                .id();
    }

    /**
     * The process of a suspend snapshot has gone on since it was resumed: what was saved of it fits no more.
     *
     * @throws ApiException CONFLICT
     */
    public void requireNotResumed(Snapshot snapshot) {
        if (snapshot.engine() == Engine.SUSPEND
                && restores.existsBySnapshotIdAndThawSecondsNotNull(
                        snapshot.id().value())) {
            throw new ApiException(
                    ErrorCode.CONFLICT,
                    "Snapshot " + snapshot.id() + " was resumed already; a suspend snapshot comes back once.");
        }
    }

    /** A resume changes a living process, so no other operation may work on it meanwhile. */
    private static Optional<WorkloadId> suspendedProcess(Snapshot snapshot) {
        return snapshot.engine() == Engine.SUSPEND ? snapshot.workloadId() : Optional.empty();
    }

    private List<View> views(List<Restore> rows) {
        Map<RestoreId, Operation> found =
                operations.ofRestores(rows.stream().map(Restore::id).toList());
        return rows.stream()
                .map(restore -> new View(
                        restore,
                        snapshots.get(restore.snapshotId()),
                        Optional.ofNullable(found.get(restore.id())).orElseThrow()))
                .toList();
    }
}
