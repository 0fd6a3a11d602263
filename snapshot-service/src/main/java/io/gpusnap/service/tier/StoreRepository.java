package io.gpusnap.service.tier;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.json.JsonColumns;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Tables {@code store} and {@code node_tier}, in plain SQL: every heartbeat writes them. */
@Component
class StoreRepository {
    private final JdbcClient jdbc;
    private final JsonColumns json;

    StoreRepository(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /**
     * One reported tier as the statement reads it.
     *
     * @param id null of a shared one whose store has not told the node yet which it is
     * @param node whose own the store is
     */
    record Row(
            @Nullable UUID id,
            String kind,
            @Nullable UUID node,
            String name,
            @Nullable UUID reported,
            long capacity,
            long free,
            long used,
            String health,
            @Nullable String reason) {}

    /**
     * Makes the node's tiers what it reports. A store keeps the kind under which it was first seen. A tier
     * whose store the node cannot tell yet is taken for the store that was behind it, which does not answer: a daemon that
     * begins anew while a store is silent does not know its id, and since when it is silent must not be forgotten.
     */
    void replace(NodeId node, List<Row> tiers) {
        jdbc.sql("""
                        WITH told AS (
                            SELECT * FROM jsonb_to_recordset(:rows::jsonb) AS r (
                                id uuid, kind text, node uuid, name text, reported uuid, capacity bigint, free bigint, used bigint,
                                health text, reason text)),
                        reported AS (SELECT * FROM told WHERE id IS NOT NULL),
                        unnamed AS (
                            SELECT t.store_id, told.reason
                              FROM told JOIN node_tier t ON t.node_id = :node AND t.name = told.name
                              JOIN store s ON s.id = t.store_id AND s.kind = told.kind
                             WHERE told.id IS NULL AND t.store_id NOT IN (SELECT id FROM reported)),
                        silent AS (
                            UPDATE node_tier t SET health = 'UNHEALTHY', health_reason = unnamed.reason
                              FROM unnamed WHERE t.node_id = :node AND t.store_id = unnamed.store_id),
                        seen AS (
                            INSERT INTO store (id, kind, node_id, first_seen_at)
                            SELECT id, kind, node, now() FROM reported ORDER BY id
                            ON CONFLICT (id) DO NOTHING),
                        gone AS (
                            DELETE FROM node_tier t WHERE t.node_id = :node
                               AND t.store_id NOT IN (SELECT id FROM reported UNION ALL SELECT store_id FROM unnamed))
                        INSERT INTO node_tier (node_id, store_id, name, reported_store_id, capacity_bytes, free_bytes, used_bytes, health, health_reason, answered_at)
                        SELECT :node, id, name, reported, capacity, free, used, health, reason, now() FROM reported
                        ON CONFLICT (node_id, store_id) DO UPDATE
                           SET name = excluded.name, reported_store_id = excluded.reported_store_id,
                               capacity_bytes = excluded.capacity_bytes, free_bytes = excluded.free_bytes,
                               used_bytes = excluded.used_bytes, health = excluded.health, health_reason = excluded.health_reason,
                               answered_at = CASE WHEN excluded.health = 'UNHEALTHY' THEN node_tier.answered_at ELSE excluded.answered_at END
                        """)
                .param("rows", json.write(tiers))
                .param("node", node.value())
                .update();
    }

    void addOwn(NodeId node, Inventory.TierKind kind) {
        jdbc.sql("INSERT INTO store (id, kind, node_id, first_seen_at) VALUES (?, ?, ?, now()) ON CONFLICT DO NOTHING")
                .param(Store.ownOf(node, kind).value())
                .param(kind.name())
                .param(node.value())
                .update();
    }

    Optional<Store> find(StoreId id) {
        return jdbc.sql("SELECT id, kind, node_id, first_seen_at FROM store WHERE id = ?")
                .param(id.value())
                .query(StoreRepository::store)
                .optional();
    }

    /** Stores after this one by id, ascending. */
    List<Store> list(@Nullable StoreId after, boolean sharedOnly, int limit) {
        return jdbc.sql("""
                        SELECT id, kind, node_id, first_seen_at FROM store
                         WHERE (:after::uuid IS NULL OR id > :after::uuid) AND (NOT :shared OR node_id IS NULL)
                         ORDER BY id LIMIT :limit
                        """)
                .param("after", after == null ? null : after.toString())
                .param("shared", sharedOnly)
                .param("limit", limit)
                .query(StoreRepository::store)
                .list();
    }

    List<NodeTier> tiersOf(StoreId store, int limit) {
        return tiers("t.store_id = :id", store.value(), limit);
    }

    List<NodeTier> tiersOf(NodeId node) {
        return tiers("t.node_id = :id", node.value(), Integer.MAX_VALUE);
    }

    private List<NodeTier> tiers(String where, UUID id, int limit) {
        return jdbc.sql("SELECT t.*, s.kind FROM node_tier t JOIN store s ON s.id = t.store_id WHERE " + where
                        + " ORDER BY t.node_id, t.name LIMIT :limit")
                .param("id", id)
                .param("limit", limit)
                .query(StoreRepository::tier)
                .list();
    }

    private static Store store(ResultSet row, int number) throws SQLException {
        return new Store(
                new StoreId(row.getObject("id", UUID.class)),
                Inventory.TierKind.valueOf(row.getString("kind")),
                Optional.ofNullable(row.getObject("node_id", UUID.class)).map(NodeId::new),
                row.getObject("first_seen_at", OffsetDateTime.class).toInstant());
    }

    private static NodeTier tier(ResultSet row, int number) throws SQLException {
        UUID reported = row.getObject("reported_store_id", UUID.class);
        return new NodeTier(
                new NodeId(row.getObject("node_id", UUID.class)),
                new StoreId(row.getObject("store_id", UUID.class)),
                Inventory.TierKind.valueOf(row.getString("kind")),
                row.getString("name"),
                reported == null ? null : new StoreId(reported),
                row.getLong("capacity_bytes"),
                row.getLong("free_bytes"),
                row.getLong("used_bytes"),
                Inventory.TierHealth.valueOf(row.getString("health")),
                row.getString("health_reason"));
    }
}
