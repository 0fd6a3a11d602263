package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Heartbeat;
import io.gpusnap.service.node.HeartbeatListener;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.NodeState;
import io.gpusnap.service.node.NodeStateChanged;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.Stores;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Deletions that a node could not do. That says nothing of what is left: the snapshot stays DELETING, as nobody may use it any more, and
 * the node is told again, more and more rarely, until it says that it does not have it.
 */
@Component
class FailedDeletions implements HeartbeatListener {
    /** A report may have been on its way since before the claim. Also the pause before the second try; each later one is twice as long. */
    private static final Duration SAID_FOR = Duration.ofSeconds(20);

    private static final Duration LONGEST_PAUSE = Duration.ofHours(1);

    private final JdbcClient jdbc;
    private final Snapshots snapshots;
    private final SnapshotRepository repository;
    private final Deletion deletion;
    private final Stores stores;
    private final DatabaseClock clock;

    FailedDeletions(
            JdbcClient jdbc,
            Snapshots snapshots,
            SnapshotRepository repository,
            Deletion deletion,
            Stores stores,
            DatabaseClock clock) {
        this.jdbc = jdbc;
        this.snapshots = snapshots;
        this.repository = repository;
        this.deletion = deletion;
        this.stores = stores;
        this.clock = clock;
    }

    /** Also where nobody knew that the node has any of it: what it could not look for may be there. */
    void failed(SnapshotId snapshot, NodeId node, Failure why) {
        jdbc.sql("""
                        INSERT INTO snapshot_location AS l (snapshot_id, store_id, state, removal_reason, removal_failed, since, confirmed_at)
                        VALUES (:snapshot, :store, 'REMOVING', :reason, true, now(), now())
                        ON CONFLICT (snapshot_id, store_id) DO UPDATE
                           SET removal_reason = excluded.removal_reason, removal_failed = true, let_go_at = NULL
                         WHERE l.state = 'REMOVING'
                        """)
                .param("snapshot", snapshot.value())
                .param("store", stores.own(node, Inventory.TierKind.NVME).value())
                .param("reason", "The snapshot is deleted. The node could not yet: " + why.detail())
                .update();
    }

    @Override
    public void heard(Heartbeat heartbeat) {
        CopyReports.held(heartbeat.inventory(), Inventory.TierKind.NVME)
                .ifPresent(held -> each(heartbeat.nodeId(), snapshot -> goOn(snapshot, heartbeat, held)));
    }

    @EventListener
    void nodeChanged(NodeStateChanged change) {
        if (change.state() == NodeState.LOST) {
            each(change.nodeId(), snapshot -> deletion.doneOn(snapshot, change.nodeId(), clock.now()));
        }
    }

    /** Snapshots before their copies, as a completion and a caller lock them. */
    private void each(NodeId node, Consumer<Snapshot> what) {
        List<SnapshotId> failed = jdbc.sql("""
                        SELECT l.snapshot_id FROM snapshot_location l JOIN snapshot s ON s.id = l.snapshot_id
                         WHERE l.store_id = ? AND l.removal_failed AND s.state = 'DELETING' ORDER BY l.snapshot_id
                        """)
                .param(own(node).value())
                .query((row, number) -> new SnapshotId(row.getObject("snapshot_id", UUID.class)))
                .list();
        for (SnapshotId id : failed) {
            Snapshot snapshot = snapshots.lock(id);
            if (snapshot.state() == SnapshotState.DELETING) {
                what.accept(snapshot);
                repository.saveAndFlush(snapshot);
            }
        }
    }

    private void goOn(Snapshot snapshot, Heartbeat heartbeat, Collection<SnapshotId> held) {
        NodeId node = heartbeat.nodeId();
        Said said = said(snapshot.id(), heartbeat);
        if (!said.letGo()) {
            return;
        }
        if (!held.contains(snapshot.id())) {
            deletion.doneOn(snapshot, node, clock.now());
        } else if (said.due()) {
            deletion.again(snapshot, node);
        }
    }

    /**
     * @param letGo for long enough the node has said that it is not at it
     * @param due it was not told for long enough
     */
    private record Said(boolean letGo, boolean due) {}

    private Said said(SnapshotId snapshot, Heartbeat heartbeat) {
        return jdbc.sql("""
                        UPDATE snapshot_location l
                           SET let_go_at = CASE WHEN EXISTS (SELECT 1 FROM operation o
                                                              WHERE o.id = ANY (:running) AND o.kind = 'DELETE' AND o.snapshot_id = l.snapshot_id)
                                                THEN NULL ELSE coalesce(l.let_go_at, now()) END
                         WHERE l.snapshot_id = :snapshot AND l.store_id = :store AND l.removal_failed
                        RETURNING coalesce(l.let_go_at <= now() - make_interval(secs => :saidFor), false) AS let_go,
                                  (SELECT coalesce(max(o.finished_at) <= now() - make_interval(
                                              secs => least(:longest, :saidFor * power(2, least(count(*), 20) - 1))), true)
                                     FROM operation o
                                    WHERE o.kind = 'DELETE' AND o.snapshot_id = l.snapshot_id AND o.node_id = :node
                                      AND o.state <> 'SUCCEEDED') AS due
                        """)
                .param("running", running(heartbeat))
                .param("snapshot", snapshot.value())
                .param("store", own(heartbeat.nodeId()).value())
                .param("node", heartbeat.nodeId().value())
                .param("saidFor", (double) SAID_FOR.toSeconds())
                .param("longest", (double) LONGEST_PAUSE.toSeconds())
                .query((row, number) -> new Said(row.getBoolean("let_go"), row.getBoolean("due")))
                .optional()
                .orElse(new Said(false, false));
    }

    private static StoreId own(NodeId node) {
        return Store.ownOf(node, Inventory.TierKind.NVME);
    }

    private static UUID[] running(Heartbeat heartbeat) {
        return heartbeat.runningOperations().stream()
                .map(held -> held.operationId().value())
                .toArray(UUID[]::new);
    }
}
