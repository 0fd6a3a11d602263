package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Nodes that have a good copy in their own store, and those that see one in a shared store and can read from it. A
 * suspended process is where its own copy is and nowhere else.
 */
@Component
class LocationReach implements SnapshotReach {
    /** Of a snapshot that more nodes hold or see, so many of each are looked at. */
    private static final int MOST_NODES = 512;

    private final JdbcClient jdbc;

    LocationReach(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Override
    public List<Reach> of(Collection<SnapshotId> snapshots, int limit) {
        return jdbc.sql("""
                        SELECT i.id, near.* FROM unnest(:ids) AS i (id)
                         CROSS JOIN LATERAL (
                               SELECT c.node_id, c.kind, c.missing FROM (
                                      (SELECT s.node_id, l.confirmed_at, 0::bigint AS missing, true AS own,
                                              CASE WHEN EXISTS (SELECT 1 FROM snapshot_location m JOIN store p ON p.id = m.store_id
                                                                 WHERE m.snapshot_id = i.id AND m.state = 'PRESENT'
                                                                   AND p.node_id = s.node_id AND p.kind = 'MEMORY')
                                                   THEN 'MEMORY' ELSE 'NVME' END AS kind
                                         FROM snapshot_location l JOIN store s ON s.id = l.store_id
                                        WHERE l.snapshot_id = i.id AND l.state = 'PRESENT' AND s.kind = 'NVME'
                                        ORDER BY s.node_id LIMIT :most)
                                      UNION ALL
                                      (SELECT DISTINCT ON (t.node_id) t.node_id, l.confirmed_at, coalesce(n.distinct_bytes, n.stored_bytes),
                                              false, s.kind
                                         FROM snapshot n
                                         JOIN snapshot_location l ON l.snapshot_id = n.id AND l.state = 'PRESENT'
                                         JOIN store s ON s.id = l.store_id AND s.node_id IS NULL
                                         JOIN node_tier t ON t.store_id = s.id AND t.health <> 'UNHEALTHY' AND t.reported_store_id IS NOT NULL
                                        WHERE n.id = i.id AND n.engine <> 'suspend'
                                          AND NOT EXISTS (SELECT 1 FROM snapshot_location o JOIN store p ON p.id = o.store_id
                                                           WHERE o.snapshot_id = i.id AND o.state = 'PRESENT'
                                                             AND p.node_id = t.node_id AND p.kind = 'NVME')
                                        ORDER BY t.node_id, s.kind LIMIT :most)) c
                                 JOIN node n ON n.id = c.node_id
                                WHERE c.own OR jsonb_path_exists(
                                          n.inventory, '$.capabilities[*] ? (@.name == "transfer" && @.available == true)')
                                ORDER BY (n.state = 'ONLINE' AND n.schedulable) DESC, c.own DESC, c.confirmed_at DESC, c.node_id
                                LIMIT :limit) near
                        """)
                .param("ids", snapshots.stream().map(SnapshotId::value).toArray(UUID[]::new))
                .param("most", MOST_NODES)
                .param("limit", limit)
                .query((row, number) -> new Reach(
                        new SnapshotId(row.getObject("id", UUID.class)),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Inventory.TierKind.valueOf(row.getString("kind")),
                        row.getLong("missing")))
                .list();
    }
}
