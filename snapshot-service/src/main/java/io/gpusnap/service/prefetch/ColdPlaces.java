package io.gpusnap.service.prefetch;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Finds nodes that will want a version and do not have it, in plain SQL. */
@Component
class ColdPlaces {
    /** Nodes are looked for among so many of the version's last thaws. */
    private static final int THAWS = 200;

    private final JdbcClient jdbc;

    ColdPlaces(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A node, its own store, and the snapshot that fits there and is not in it. */
    record Place(NodeId node, StoreId store, SnapshotId snapshot) {}

    /**
     * Open nodes where replicas of one version came back last, the latest first, and the other version's newest snapshot of the same
     * compatibility class is not.
     */
    List<Place> of(String model, String left, String to, int most) {
        return jdbc.sql("""
                        WITH recent AS (
                            SELECT id, node_id, snapshot_id FROM restore
                             WHERE model_name = :model AND version_name = :left AND thaw_seconds IS NOT NULL
                             ORDER BY id DESC LIMIT :thaws),
                        place AS (
                            SELECT recent.node_id, s.class_key, max(recent.id::text) AS latest
                              FROM recent JOIN snapshot s ON s.id = recent.snapshot_id
                             WHERE s.engine = 'criu+cuda' GROUP BY recent.node_id, s.class_key)
                        SELECT place.node_id, own.id AS store_id, target.id AS snapshot_id
                          FROM place
                          JOIN node n ON n.id = place.node_id AND n.state = 'ONLINE' AND n.schedulable
                          JOIN store own ON own.node_id = place.node_id AND own.kind = 'NVME'
                         CROSS JOIN LATERAL (
                               SELECT n.id FROM snapshot n
                                WHERE n.model_name = :model AND n.version_name = :to AND n.engine = 'criu+cuda'
                                  AND n.state = 'READY' AND n.class_key = place.class_key
                                ORDER BY n.id DESC LIMIT 1) target
                         WHERE NOT EXISTS (SELECT 1 FROM snapshot_location l
                                            WHERE l.snapshot_id = target.id AND l.store_id = own.id AND l.state IN ('PRESENT', 'COPYING'))
                         ORDER BY place.latest DESC LIMIT :most
                        """)
                .param("model", model)
                .param("left", left)
                .param("to", to)
                .param("thaws", THAWS)
                .param("most", most)
                .query((row, number) -> new Place(
                        new NodeId(row.getObject("node_id", UUID.class)),
                        new StoreId(row.getObject("store_id", UUID.class)),
                        new SnapshotId(row.getObject("snapshot_id", UUID.class))))
                .list();
    }
}
