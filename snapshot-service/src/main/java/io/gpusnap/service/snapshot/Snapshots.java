package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.version.VersionUse;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.data.domain.Limit;
import org.springframework.data.domain.Sort;
import org.springframework.data.jpa.domain.Specification;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Snapshots as callers and restores see them. */
@Service
public class Snapshots implements VersionUse {
    private static final Set<SnapshotState> NEEDING_THEIR_VERSION =
            Set.of(SnapshotState.CREATING, SnapshotState.READY, SnapshotState.QUARANTINED, SnapshotState.DELETING);

    private final SnapshotRepository snapshots;
    private final SnapshotStore store;
    private final DatabaseClock clock;

    Snapshots(SnapshotRepository snapshots, SnapshotStore store, DatabaseClock clock) {
        this.snapshots = snapshots;
        this.store = store;
        this.clock = clock;
    }

    /** Which snapshots to list; null filters nothing. */
    public record Filter(
            @Nullable String model,
            @Nullable String version,
            @Nullable SnapshotState state) {}

    /**
     * Reads a snapshot.
     *
     * @throws ApiException SNAPSHOT_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public Snapshot get(SnapshotId id) {
        return find(id).orElseThrow(() -> notFound(id));
    }

    @Transactional(readOnly = true)
    public Optional<Snapshot> find(SnapshotId id) {
        return snapshots.findById(id.value());
    }

    /** Newest first. */
    @Transactional(readOnly = true)
    public Page<Snapshot> list(Filter filter, PageQuery query) {
        Specification<Snapshot> where = equal("modelName", filter.model())
                .and(equal("versionName", filter.version()))
                .and(equal("state", filter.state()));
        Specification<Snapshot> page = query.afterId()
                .map(after -> where.and((root, criteria, build) -> build.lessThan(root.get("id"), after)))
                .orElse(where);
        return Page.of(
                query,
                snapshots.findBy(
                        page,
                        found -> found.sortBy(Sort.by(Sort.Direction.DESC, "id"))
                                .limit(query.size() + 1)
                                .all()),
                snapshot -> snapshot.id().toString());
    }

    /**
     * Snapshots that were changed at that time or later, the earliest first; for those who follow the catalogue. A change
     * shows up when its transaction commits, which may be after a later one: whoever follows looks back a little.
     */
    @Transactional(readOnly = true)
    public List<Snapshot> changedSince(Instant since, int most) {
        return snapshots.findByUpdatedAtGreaterThanEqualOrderByUpdatedAt(since, Limit.of(most));
    }

    /**
     * The manifest's exact bytes.
     *
     * @throws ApiException SNAPSHOT_NOT_FOUND, SNAPSHOT_NOT_READY when it never had one or has none any more
     */
    @Transactional(readOnly = true)
    public byte[] manifest(SnapshotId id) {
        Snapshot snapshot = get(id);
        return store.manifest(id)
                .orElseThrow(() -> new ApiException(
                        ErrorCode.SNAPSHOT_NOT_READY, "The snapshot is " + snapshot.state() + " and has no manifest."));
    }

    /** Nodes that have it whole, the most recently confirmed first. */
    public List<NodeId> holders(SnapshotId id) {
        return store.holders(id);
    }

    /**
     * Holds the snapshot for a restore: until the caller's transaction ends nobody deletes it.
     *
     * @throws ApiException SNAPSHOT_QUARANTINED or SNAPSHOT_NOT_READY
     */
    @Transactional(propagation = Propagation.MANDATORY)
    public Snapshot lockReady(SnapshotId id) {
        Snapshot snapshot = lock(id);
        if (snapshot.state() == SnapshotState.QUARANTINED) {
            String why = snapshot.failure().map(Failure::detail).orElse("no reason is kept");
            throw new ApiException(ErrorCode.SNAPSHOT_QUARANTINED, "Snapshot " + id + " is quarantined: " + why);
        }
        if (snapshot.state() != SnapshotState.READY) {
            throw new ApiException(
                    ErrorCode.SNAPSHOT_NOT_READY, "Snapshot " + id + " is " + snapshot.state() + ", not READY.");
        }
        return snapshot;
    }

    /** The same without a complaint: whether it is READY, and then it stays so until the caller's transaction ends. */
    @Transactional(propagation = Propagation.MANDATORY)
    public boolean holdIfReady(SnapshotId id) {
        return lock(id).state() == SnapshotState.READY;
    }

    /** Something found a READY snapshot to be wrong; it is never restored again. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void quarantine(SnapshotId id, Failure why) {
        Snapshot snapshot = lock(id);
        if (snapshot.state() == SnapshotState.READY) {
            snapshot.quarantine(why, clock.now());
            snapshots.saveAndFlush(snapshot);
        }
    }

    /** A thaw of it succeeded: it is as good as it was. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void thawSucceeded(SnapshotId id) {
        snapshots.forgetThawFailures(id.value());
    }

    /** A thaw of it failed for a reason that may lie in it; the last of {@code limit} in a row quarantines it. */
    @Transactional(propagation = Propagation.MANDATORY)
    public void thawFailed(SnapshotId id, Failure why, int limit) {
        Snapshot snapshot = lock(id);
        int failures = snapshot.thawFailed();
        if (failures >= limit && snapshot.state() == SnapshotState.READY) {
            snapshot.quarantine(
                    Failure.of(
                            why.code(),
                            failures + " thaws failed in a row, the last one with: " + why.detail(),
                            why.stage(),
                            false),
                    clock.now());
        }
        snapshots.saveAndFlush(snapshot);
    }

    /** Whether a failure says that the stored bytes themselves are wrong, and not the circumstances. */
    public static boolean condemns(Failure failure) {
        return switch (failure.code()) {
            case CHUNK_CORRUPT, CHUNK_MISSING, MANIFEST_INVALID -> true;
            default -> false;
        };
    }

    @Override
    public Optional<String> whyNeeded(VersionId version) {
        long count = snapshots.countByVersionIdAndStateIn(version.value(), NEEDING_THEIR_VERSION);
        return count == 0 ? Optional.empty() : Optional.of("has " + count + " snapshots");
    }

    Snapshot lock(SnapshotId id) {
        return snapshots.lock(id.value()).orElseThrow(() -> notFound(id));
    }

    private static ApiException notFound(SnapshotId id) {
        return new ApiException(ErrorCode.SNAPSHOT_NOT_FOUND, "No snapshot has the id " + id + ".");
    }

    private static Specification<Snapshot> equal(String attribute, @Nullable Object value) {
        return (root, criteria, build) -> value == null ? build.conjunction() : build.equal(root.get(attribute), value);
    }
}
