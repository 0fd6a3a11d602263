package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Goes on with deletions that nobody is at: a node could not, or is lost, or a replica of another version has left them. Every replica may
 * run it, as what is to be done is asked once more when the snapshot is locked. Each snapshot has a transaction of its own: two in
 * one would lock what they share out of order.
 */
@Component
class UnfinishedDeletions {
    private static final Logger LOG = LoggerFactory.getLogger(UnfinishedDeletions.class);
    private static final SnapshotId NONE = new SnapshotId(new UUID(0, 0));

    /** Of one round; the next one goes on after it. */
    private static final int BATCH = 100;

    private final DeletionTurns turns;
    private final Snapshots snapshots;
    private final SnapshotRepository repository;
    private final Deletion deletion;
    private final FailedDeletions failed;
    private final DatabaseClock clock;
    private final TransactionTemplate transaction;
    private volatile SnapshotId last = NONE;

    UnfinishedDeletions(
            DeletionTurns turns,
            Snapshots snapshots,
            SnapshotRepository repository,
            Deletion deletion,
            FailedDeletions failed,
            DatabaseClock clock,
            TransactionTemplate transaction) {
        this.turns = turns;
        this.snapshots = snapshots;
        this.repository = repository;
        this.deletion = deletion;
        this.failed = failed;
        this.clock = clock;
        this.transaction = transaction;
    }

    @Scheduled(fixedDelayString = "${gpusnap.deletions.check-interval:5s}")
    void goOn() {
        List<SnapshotId> now = turns.after(last, BATCH);
        // Before they are done: one that cannot be must not keep those after it from their turn.
        last = now.size() < BATCH ? NONE : now.getLast();
        now.forEach(this::goOn);
    }

    private void goOn(SnapshotId id) {
        try {
            transaction.executeWithoutResult(status -> {
                Snapshot snapshot = snapshots.lock(id);
                if (snapshot.state() == SnapshotState.DELETING) {
                    turns.of(id).forEach(turn -> take(turn, snapshot));
                    repository.saveAndFlush(snapshot);
                }
            });
        } catch (RuntimeException e) {
            LOG.warn("the deletion of snapshot {} does not go on now", id, e);
        }
    }

    private void take(DeletionTurns.Turn turn, Snapshot snapshot) {
        switch (turn.step()) {
            case TAKE_OVER -> failed.takeOver(snapshot.id(), turn.node());
            case DONE -> deletion.doneOn(snapshot, turn.node(), clock.now());
            case AGAIN -> deletion.again(snapshot, turn.node());
            case BEGIN -> deletion.begin(snapshot, clock.now());
        }
    }
}
