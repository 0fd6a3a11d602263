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
 * Nodes that have a good copy in their own store, and those that see one in a shared store and can open what it has. A
 * suspended process is where its own copy is and nowhere else.
 */
@Component
class LocationReach implements SnapshotReach {
    /** A node may see the same snapshot in so many of them; it counts once. */
    private static final int SHARED_STORES = 4;

    private final JdbcClient jdbc;

    LocationReach(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    @Override
    public List<Reach> of(Collection<SnapshotId> snapshots, @Nullable Collection<NodeId> only, int limit) {
        // Stores, nodes and copies are looked up as scalars: so each is found by its key. In a join a copy would be
        // looked for
        // among all copies of a store, and a bucket has one of every snapshot. Nodes that are heard are looked for
        // before the
        // cut, and a few of the others after it, so that a decision can tell why not.
        int nodes = only == null ? limit : Math.max(limit, only.size());
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
                                              SELECT t.node_id, copy.kind, copy.missing, false, (copy.there).confirmed_at
                                                FROM (SELECT s.id, s.kind,
                                                             (SELECT coalesce(n.distinct_bytes, n.stored_bytes, 0) FROM snapshot n
                                                               WHERE n.id = i.id AND n.engine <> 'suspend') AS missing,
                                                             (SELECT l FROM snapshot_location l
                                                               WHERE l.snapshot_id = i.id AND l.store_id = s.id AND l.state = 'PRESENT') AS there
                                                        FROM store s WHERE s.node_id IS NULL OFFSET 0) copy
                                                JOIN node_tier t ON t.store_id = copy.id AND t.health <> 'UNHEALTHY'
                                                     AND t.reported_store_id IS NOT NULL
                                               WHERE copy.missing IS NOT NULL AND (copy.there).confirmed_at IS NOT NULL
                                                 AND (:only::uuid[] IS NULL OR t.node_id = ANY (:only::uuid[]))
                                                 AND (SELECT (NOT pass.heard OR (h.state = 'ONLINE' AND h.schedulable))
                                                             AND node_reads(h.inventory, (copy.there).sealed_for, (copy.there).signed_by)
                                                             AND jsonb_path_exists(
                                                                 h.inventory, '$.capabilities[*] ? (@.name == "transfer" && @.available == true)')
                                                        FROM node h WHERE h.id = t.node_id)
                                                 AND NOT coalesce((SELECT o.state = 'PRESENT' FROM snapshot_location o
                                                                    WHERE o.snapshot_id = i.id
                                                                      AND o.store_id = (SELECT p.id FROM store p
                                                                                         WHERE p.node_id = t.node_id AND p.kind = 'NVME')), false)
                                               LIMIT CASE WHEN pass.heard THEN :seen ELSE :limit END) seen
                                        ORDER BY seen.node_id, seen.kind)) c
                                 JOIN node n ON n.id = c.node_id AND pass.heard = (n.state = 'ONLINE' AND n.schedulable)
                                ORDER BY (n.state = 'ONLINE' AND n.schedulable) DESC, c.own DESC, c.confirmed_at DESC, c.node_id
                                LIMIT :limit) near
                        """)
                .param("ids", snapshots.stream().map(SnapshotId::value).toArray(UUID[]::new))
                .param(
                        "only",
                        only == null ? null : only.stream().map(NodeId::value).toArray(UUID[]::new),
                        Types.ARRAY)
                .param("most", MOST_NODES)
                .param("seen", SHARED_STORES * nodes)
                .param("limit", nodes)
                .query((row, number) -> new Reach(
                        new SnapshotId(row.getObject("id", UUID.class)),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Inventory.TierKind.valueOf(row.getString("kind")),
                        row.getLong("missing")))
                .list();
    }
}
