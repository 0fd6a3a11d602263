package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Heartbeat;
import io.gpusnap.service.node.HeartbeatListener;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Copies whose removal a node had begun when it failed. Some of such a copy may be gone, and a daemon that was given up may still be
 * at it: so the copy stays REMOVING, and counts for nothing, until the node has said for a while that it works on no such removal.
 * Then it is what the node says: there again, or gone.
 */
@Component
class FailedRemovals implements HeartbeatListener {
    /** A report may have been on its way since before the claim, and a daemon that slept names a claim only with its next one. */
    private static final Duration SAID_FOR = Duration.ofSeconds(20);

    private final JdbcClient jdbc;
    private final LocationStore locations;

    FailedRemovals(JdbcClient jdbc, LocationStore locations) {
        this.jdbc = jdbc;
        this.locations = locations;
    }

    /** The removal ended without success. */
    void failed(SnapshotId snapshot, StoreId store) {
        jdbc.sql("""
                        UPDATE snapshot_location SET removal_failed = true, let_go_at = NULL
                         WHERE snapshot_id = ? AND store_id = ? AND state = 'REMOVING'
                        """).param(snapshot.value()).param(store.value()).update();
    }

    @Override
    public void heard(Heartbeat heartbeat) {
        letGo(heartbeat)
                .forEach(copy -> CopyReports.held(heartbeat.inventory(), copy.kind())
                        .ifPresent(held -> {
                            if (held.contains(copy.snapshot())) {
                                locations.endRemoval(copy.snapshot(), copy.store());
                            } else {
                                locations.remove(copy.snapshot(), copy.store(), LocationState.REMOVING);
                            }
                        }));
    }

    private record Copy(SnapshotId snapshot, StoreId store, Inventory.TierKind kind) {}

    private record Seen(Copy copy, boolean longEnough) {}

    /**
     * Those of the node's own stores of which it has said for long enough that it is not at them. Of a snapshot that is deleted none
     * comes back: that is {@link FailedDeletions}.
     */
    private List<Copy> letGo(Heartbeat heartbeat) {
        return jdbc
                .sql("""
                        UPDATE snapshot_location l
                           SET let_go_at = CASE WHEN EXISTS (SELECT 1 FROM operation o
                                                              WHERE o.id = ANY (:running) AND o.kind = 'EVICT'
                                                                AND o.snapshot_id = l.snapshot_id AND o.store_id = l.store_id)
                                                THEN NULL ELSE coalesce(l.let_go_at, now()) END
                          FROM store s
                         WHERE s.node_id = :node AND l.store_id = s.id AND l.removal_failed
                           AND NOT EXISTS (SELECT 1 FROM snapshot d WHERE d.id = l.snapshot_id AND d.state = 'DELETING')
                        RETURNING l.snapshot_id, l.store_id, s.kind,
                                  coalesce(l.let_go_at <= now() - make_interval(secs => :saidFor), false) AS long_enough
                        """)
                .param("running", heartbeat.runningIds())
                .param("node", heartbeat.nodeId().value())
                .param("saidFor", SAID_FOR.toSeconds())
                .query((row, number) -> new Seen(
                        new Copy(
                                new SnapshotId(row.getObject("snapshot_id", UUID.class)),
                                new StoreId(row.getObject("store_id", UUID.class)),
                                Inventory.TierKind.valueOf(row.getString("kind"))),
                        row.getBoolean("long_enough")))
                .list()
                .stream()
                .filter(Seen::longEnough)
                .map(Seen::copy)
                .toList();
    }
}
