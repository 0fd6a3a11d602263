package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Heartbeat;
import io.gpusnap.service.node.HeartbeatListener;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.Failure;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.tier.Store;
import io.gpusnap.service.tier.Stores;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Deletions that a node could not do, and since when it says that it is at them no more. That says nothing of what is left: the snapshot
 * stays DELETING, as nobody may use it any more, and {@link UnfinishedDeletions} go on with it.
 */
@Component
class FailedDeletions implements HeartbeatListener {
    /** Rows of one heartbeat, whose transaction others wait for. The rest have their turn with the next one. */
    private static final int BATCH = 200;

    private final JdbcClient jdbc;
    private final Stores stores;

    FailedDeletions(JdbcClient jdbc, Stores stores) {
        this.jdbc = jdbc;
        this.stores = stores;
    }

    void failed(SnapshotId snapshot, NodeId node, Failure why) {
        put(snapshot, node, Deletion.REASON + " The node could not yet: " + why.detail());
    }

    /** Of a snapshot that is DELETING the node may have something, and nobody has told it, or what it said was not kept. */
    void takeOver(SnapshotId snapshot, NodeId node) {
        put(snapshot, node, Deletion.REASON);
    }

    /** Also where nobody knew that the node has any of it, what it could not look for may be there; and where it counted as a copy again. */
    private void put(SnapshotId snapshot, NodeId node, String reason) {
        jdbc.sql("""
                        INSERT INTO snapshot_location AS l (snapshot_id, store_id, state, removal_reason, removal_failed, since, confirmed_at)
                        VALUES (:snapshot, :store, 'REMOVING', :reason, true, now(), now())
                        ON CONFLICT (snapshot_id, store_id) DO UPDATE
                           SET state = 'REMOVING', removal_reason = excluded.removal_reason, removal_failed = true, let_go_at = NULL,
                               since = CASE l.state WHEN 'REMOVING' THEN l.since ELSE now() END
                        """)
                .param("snapshot", snapshot.value())
                .param("store", stores.own(node, Inventory.TierKind.NVME).value())
                .param("reason", reason)
                .update();
    }

    /**
     * Only what changes is written, first what the node is at again. Nothing is waited for: what somebody else has locked is seen to with the
     * next heartbeat, and whoever has a snapshot locked may lock its copies.
     */
    @Override
    public void heard(Heartbeat heartbeat) {
        jdbc.sql("""
                        WITH changed AS (
                            SELECT l.snapshot_id, l.store_id, running.id IS NOT NULL AS at_it
                              FROM snapshot_location l JOIN snapshot s ON s.id = l.snapshot_id AND s.state = 'DELETING'
                              LEFT JOIN LATERAL (SELECT o.id FROM operation o
                                                  WHERE o.id = ANY (:running) AND o.kind = 'DELETE' AND o.snapshot_id = l.snapshot_id
                                                  LIMIT 1) running ON true
                             WHERE l.store_id = :store AND l.removal_failed AND (l.let_go_at IS NULL) = (running.id IS NULL)
                             ORDER BY at_it DESC, l.snapshot_id LIMIT :batch
                               FOR UPDATE OF l SKIP LOCKED)
                        UPDATE snapshot_location l SET let_go_at = CASE WHEN changed.at_it THEN NULL ELSE now() END
                          FROM changed WHERE l.snapshot_id = changed.snapshot_id AND l.store_id = changed.store_id
                        """)
                .param("running", heartbeat.runningIds())
                .param(
                        "store",
                        Store.ownOf(heartbeat.nodeId(), Inventory.TierKind.NVME).value())
                .param("batch", BATCH)
                .update();
    }
}
