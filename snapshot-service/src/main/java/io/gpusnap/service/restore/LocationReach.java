package io.gpusnap.service.restore;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.sql.Types;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Nodes that have a good copy in their own store, and those that see one in a shared store and can read from it. A
 * suspended process is where its own copy is and nowhere else.
 */
@Component
class LocationReach implements SnapshotReach {
    private final JdbcClient jdbc;

    LocationReach(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Override
    public List<Reach> of(Collection<SnapshotId> snapshots, @Nullable Collection<NodeId> only, int limit) {
        // Stores of a node, and whether it is heard, are looked up as scalars: so a copy is found by its key, and not
        // among
        // all copies of a snapshot. Nodes that are heard are looked for before the cut, and a few of the others after
        // it,
        // so that a decision can tell why not.
        return jdbc.sql("""
                        SELECT i.id, near.node_id, near.missing,
                               CASE WHEN near.own AND EXISTS (
                                         SELECT 1 FROM snapshot_location m
                                          WHERE m.snapshot_id = i.id AND m.state = 'PRESENT'
                                            AND m.store_id = (SELECT p.id FROM store p WHERE p.node_id = near.node_id AND p.kind = 'MEMORY'))
                                    THEN 'MEMORY' ELSE near.kind END AS kind
                          FROM unnest(:ids) AS i (id)
                         CROSS JOIN LATERAL (
                               SELECT c.node_id, c.kind, c.missing, c.own FROM (VALUES (true), (false)) AS pass (heard) CROSS JOIN LATERAL (
                                      (SELECT s.node_id, s.kind, 0::bigint AS missing, true AS own, l.confirmed_at
                                         FROM snapshot_location l JOIN store s ON s.id = l.store_id
                                        WHERE l.snapshot_id = i.id AND l.state = 'PRESENT' AND s.kind = 'NVME'
                                          AND (:only::uuid[] IS NULL OR s.node_id = ANY (:only::uuid[]))
                                          AND (NOT pass.heard OR (SELECT h.state = 'ONLINE' AND h.schedulable FROM node h WHERE h.id = s.node_id))
                                        ORDER BY l.store_id LIMIT CASE WHEN pass.heard THEN :most ELSE :limit END)
                                      UNION ALL
                                      (SELECT DISTINCT ON (seen.node_id) seen.* FROM (
                                              SELECT t.node_id, s.kind, coalesce(n.distinct_bytes, n.stored_bytes), false, l.confirmed_at
                                                FROM snapshot n
                                                JOIN snapshot_location l ON l.snapshot_id = n.id AND l.state = 'PRESENT'
                                                JOIN store s ON s.id = l.store_id AND s.node_id IS NULL
                                                JOIN node_tier t ON t.store_id = s.id AND t.health <> 'UNHEALTHY'
                                                     AND t.reported_store_id IS NOT NULL
                                               WHERE n.id = i.id AND n.engine <> 'suspend'
                                                 AND (:only::uuid[] IS NULL OR t.node_id = ANY (:only::uuid[]))
                                                 AND (NOT pass.heard OR (SELECT h.state = 'ONLINE' AND h.schedulable FROM node h WHERE h.id = t.node_id))
                                                 AND NOT EXISTS (
                                                     SELECT 1 FROM snapshot_location o
                                                      WHERE o.snapshot_id = i.id AND o.state = 'PRESENT'
                                                        AND o.store_id = (SELECT p.id FROM store p
                                                                           WHERE p.node_id = t.node_id AND p.kind = 'NVME'))
                                               LIMIT CASE WHEN pass.heard THEN :most ELSE :limit END) seen
                                        ORDER BY seen.node_id, seen.kind)) c
                                 JOIN node n ON n.id = c.node_id AND pass.heard = (n.state = 'ONLINE' AND n.schedulable)
                                WHERE c.own OR jsonb_path_exists(
                                          n.inventory, '$.capabilities[*] ? (@.name == "transfer" && @.available == true)')
                                ORDER BY (n.state = 'ONLINE' AND n.schedulable) DESC, c.own DESC, c.confirmed_at DESC, c.node_id
                                LIMIT :limit) near
                        """)
                .param("ids", snapshots.stream().map(SnapshotId::value).toArray(UUID[]::new))
                .param(
                        "only",
                        only == null ? null : only.stream().map(NodeId::value).toArray(UUID[]::new),
                        Types.ARRAY)
                .param("most", MOST_NODES)
                .param("limit", only == null ? limit : Math.max(limit, only.size()))
                .query((row, number) -> new Reach(
                        new SnapshotId(row.getObject("id", UUID.class)),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Inventory.TierKind.valueOf(row.getString("kind")),
                        row.getLong("missing")))
                .list();
    }
}
