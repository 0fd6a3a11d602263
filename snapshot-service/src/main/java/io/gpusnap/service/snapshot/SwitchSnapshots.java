package io.gpusnap.service.snapshot;

import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Completion;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.version.ModelVersion;
import io.gpusnap.service.workload.Workload;
import java.util.Optional;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Snapshots of those who make room in a switch. They are rows from the start, so that a later switch can name them. */
@Service
@Transactional(propagation = Propagation.MANDATORY)
public class SwitchSnapshots {
    private final Snapshots snapshots;
    private final SnapshotRepository repository;
    private final SnapshotStore store;
    private final SnapshotCommits commits;
    private final DatabaseClock clock;

    SwitchSnapshots(
            Snapshots snapshots,
            SnapshotRepository repository,
            SnapshotStore store,
            SnapshotCommits commits,
            DatabaseClock clock) {
        this.snapshots = snapshots;
        this.repository = repository;
        this.store = store;
        this.commits = commits;
        this.clock = clock;
    }

    /** A candidate's snapshot, CREATING. */
    public SnapshotId prepare(ModelVersion version, Workload workload) {
        SnapshotId id = SnapshotId.next();
        repository.saveAndFlush(
                new Snapshot(id, version, workload, Engine.SUSPEND, AfterSave.KEEP_RUNNING, clock.now()));
        return id;
    }

    /** The candidate made room. Returns why its snapshot FAILED all the same, if it did. */
    public Optional<Failure> made(NodeId node, Completion.SuspendResult suspended) {
        Snapshot snapshot = snapshots.lock(suspended.snapshotId());
        Optional<Failure> failure =
                commits.commit(snapshot, node, snapshot.workloadId(), suspended.save(), clock.now());
        repository.saveAndFlush(snapshot);
        return failure;
    }

    /** The candidate stayed: its snapshot leaves no row, or a FAILED one where somebody has named it already. */
    public void notMade(SnapshotId id, String why) {
        if (store.drop(id)) {
            return;
        }
        Snapshot snapshot = snapshots.lock(id);
        if (snapshot.state() == SnapshotState.CREATING) {
            snapshot.fail(Failure.of(ErrorCode.CANCELLED, why, null, true), clock.now());
            repository.saveAndFlush(snapshot);
        }
    }
}
