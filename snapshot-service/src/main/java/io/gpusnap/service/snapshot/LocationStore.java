package io.gpusnap.service.snapshot;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TierResult;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.tier.Store;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code snapshot_location}. Every change names the state that it expects, so that of two askers one does nothing. */
@Component
class LocationStore {
    /** A node that is heard and finds the store of {@code d} fit for use. */
    private static final String ANSWERS = """
            SELECT 1 FROM node_tier t JOIN node m ON m.id = t.node_id
             WHERE t.store_id = d.store_id AND t.health <> 'UNHEALTHY' AND m.state = 'ONLINE'""";

    /** Whether the store of {@code d} answers, and no node for which it does can open what it takes {@code d} to read. */
    private static final String CLOSED = "EXISTS (" + ANSWERS + ") AND NOT EXISTS (" + ANSWERS
            + " AND node_reads(m.inventory, d.sealed_for, d.signed_by))";

    /** What it takes to read a copy is asked once for each store, owner and signer, not for each copy: those are few. */
    private static final String SELECT = """
            WITH l AS MATERIALIZED (SELECT * FROM snapshot_location WHERE %s),
                 silence AS (
                   SELECT d.store_id, coalesce((SELECT max(t.answered_at) FROM node_tier t WHERE t.store_id = d.store_id), 'epoch') AS since
                     FROM (SELECT DISTINCT store_id FROM l) d WHERE NOT EXISTS (<answers>)),
                 closed AS MATERIALIZED (
                   SELECT d.* FROM (SELECT DISTINCT store_id, sealed_for, signed_by FROM l) d WHERE <closed>)
            SELECT l.*, s.kind, s.node_id, coalesce(n.state = 'LOST', false) AS lost, silence.since AS silent_since,
                   EXISTS (SELECT 1 FROM closed c WHERE c.store_id = l.store_id
                              AND (c.sealed_for, c.signed_by) IS NOT DISTINCT FROM (l.sealed_for, l.signed_by)) AS closed
              FROM l JOIN store s ON s.id = l.store_id LEFT JOIN node n ON n.id = s.node_id
              LEFT JOIN silence ON silence.store_id = l.store_id
             ORDER BY %s
            """.replace("<answers>", ANSWERS).replace("<closed>", CLOSED);

    private final JdbcClient jdbc;

    LocationStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * It is there, and was proven just now, by a node that said what it takes to read it: of a store that others see.
     *
     * @param storedBytes what it takes there; null where the node did not say
     */
    void putPresent(SnapshotId snapshot, StoreId store, NodeId by, @Nullable Long storedBytes) {
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, since, confirmed_at, verified_at, sealed_for, signed_by, stored_bytes)
                        SELECT :snapshot, :store, 'PRESENT', now(), now(), now(),
                               CASE WHEN s.node_id IS NULL THEN n.inventory #>> '{access,opens,0}' END,
                               CASE WHEN s.node_id IS NULL THEN n.inventory #>> '{access,signsAs}' END, :bytes::bigint
                          FROM node n, store s WHERE n.id = :node AND s.id = :store
                        ON CONFLICT (snapshot_id, store_id) DO UPDATE
                           SET state = 'PRESENT', damage = NULL, since = now(), confirmed_at = now(), verified_at = now(),
                               sealed_for = excluded.sealed_for, signed_by = excluded.signed_by, stored_bytes = excluded.stored_bytes,
                               scrub_tried_at = NULL, scrub_tried_by = NULL, unread = NULL, removal_failed = false, let_go_at = NULL
                        """)
                .param("snapshot", snapshot.value())
                .param("store", store.value())
                .param("node", by.value())
                .param("bytes", storedBytes)
                .update();
    }

    /** Whether nothing was there; then it is COPYING. */
    boolean beginCopy(SnapshotId snapshot, StoreId store, String reason) {
        return jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, reason, since, confirmed_at)
                        VALUES (:snapshot, :store, 'COPYING', :reason, now(), now())
                        ON CONFLICT DO NOTHING
                        """)
                        .param("snapshot", snapshot.value())
                        .param("store", store.value())
                        .param("reason", reason)
                        .update()
                == 1;
    }

    /** Whether it was in this state; then it is REMOVING. */
    boolean beginRemoval(SnapshotId snapshot, StoreId store, LocationState from, String reason) {
        return jdbc.sql("""
                        UPDATE snapshot_location SET state = 'REMOVING', removal_reason = :reason, since = now()
                         WHERE snapshot_id = :snapshot AND store_id = :store AND state = :from
                        """)
                        .param("reason", reason)
                        .param("snapshot", snapshot.value())
                        .param("store", store.value())
                        .param("from", from.name())
                        .update()
                == 1;
    }

    /** A removal did not happen, and will not: the copy is again what it was. */
    void endRemoval(SnapshotId snapshot, StoreId store) {
        jdbc.sql("""
                        UPDATE snapshot_location
                           SET state = CASE WHEN damage IS NULL THEN 'PRESENT' ELSE 'CORRUPT' END, removal_reason = NULL,
                               removal_failed = false, let_go_at = NULL, since = now()
                         WHERE snapshot_id = ? AND store_id = ? AND state = 'REMOVING'
                        """).param(snapshot.value()).param(store.value()).update();
    }

    /** Whether it was PRESENT; then it is CORRUPT. */
    boolean corrupt(SnapshotId snapshot, StoreId store, String damage) {
        return jdbc.sql("""
                        UPDATE snapshot_location SET state = 'CORRUPT', damage = :damage, since = now()
                         WHERE snapshot_id = :snapshot AND store_id = :store AND state = 'PRESENT'
                        """)
                        .param("damage", damage)
                        .param("snapshot", snapshot.value())
                        .param("store", store.value())
                        .update()
                == 1;
    }

    /** Whether it has been PRESENT without a break since before then. */
    boolean presentSince(SnapshotId snapshot, StoreId store, Instant then) {
        return jdbc.sql("""
                        SELECT EXISTS (SELECT 1 FROM snapshot_location
                                        WHERE snapshot_id = :snapshot AND store_id = :store AND state = 'PRESENT' AND since <= :then)
                        """)
                .param("snapshot", snapshot.value())
                .param("store", store.value())
                .param("then", then.atOffset(ZoneOffset.UTC))
                .query(Boolean.class)
                .single();
    }

    /** The node's own store is about to be cleared of it. */
    void putRemoving(SnapshotId snapshot, NodeId node, String reason) {
        jdbc.sql("""
                        INSERT INTO snapshot_location (snapshot_id, store_id, state, removal_reason, since, confirmed_at)
                        VALUES (:snapshot, :store, 'REMOVING', :reason, now(), now())
                        """)
                .param("snapshot", snapshot.value())
                .param("store", Store.ownOf(node, Inventory.TierKind.NVME).value())
                .param("reason", reason)
                .update();
    }

    boolean remove(SnapshotId snapshot, StoreId store, LocationState from) {
        return jdbc.sql("DELETE FROM snapshot_location WHERE snapshot_id = ? AND store_id = ? AND state = ?")
                        .param(snapshot.value())
                        .param(store.value())
                        .param(from.name())
                        .update()
                == 1;
    }

    void removeAll(SnapshotId snapshot) {
        jdbc.sql("DELETE FROM snapshot_location WHERE snapshot_id = ?")
                .param(snapshot.value())
                .update();
    }

    /** @param good verdicts of a scrub; what a copy takes there is known from then on, where the scrub says it */
    void verified(Collection<TierResult.ScrubVerdict> good, StoreId store) {
        jdbc.sql("""
                        UPDATE snapshot_location l SET verified_at = now(), unread = NULL, stored_bytes = coalesce(read.bytes, l.stored_bytes)
                          FROM unnest(:snapshots::uuid[], :bytes::bigint[]) AS read (id, bytes)
                         WHERE l.store_id = :store AND l.snapshot_id = read.id AND l.state = 'PRESENT'
                        """)
                .param("store", store.value())
                .param(
                        "snapshots",
                        good.stream().map(one -> one.snapshotId().value()).toArray(UUID[]::new))
                .param(
                        "bytes",
                        good.stream().map(TierResult.ScrubVerdict::copyBytes).toArray(Long[]::new))
                .update();
    }

    /** Stores with a copy that the node could open, whether it sees them or not. */
    Set<StoreId> openTo(NodeId node, SnapshotId snapshot) {
        return Set.copyOf(jdbc.sql("""
                        SELECT l.store_id FROM snapshot_location l JOIN node n ON n.id = :node
                         WHERE l.snapshot_id = :snapshot AND node_reads(n.inventory, l.sealed_for, l.signed_by)
                        """)
                .param("node", node.value())
                .param("snapshot", snapshot.value())
                .query((row, number) -> new StoreId(row.getObject("store_id", UUID.class)))
                .list());
    }

    /** A scrub could not read it: nothing is known. */
    void unread(SnapshotId snapshot, StoreId store, TierResult.Unread why) {
        jdbc.sql("""
                        UPDATE snapshot_location SET unread = :why
                         WHERE store_id = :store AND snapshot_id = :snapshot AND state = 'PRESENT'
                        """)
                .param("why", why.name())
                .param("store", store.value())
                .param("snapshot", snapshot.value())
                .update();
    }

    /**
     * Makes a store of a node's own what the node says that it holds. Ids that we do not know are left alone; what is being
     * copied, removed, or known to be corrupt stays as it is; and a report that was on its way may lack a copy that was made a
     * moment ago, or still have one that was evicted.
     */
    void replaceIn(StoreId store, Collection<SnapshotId> held) {
        jdbc.sql("""
                        WITH new AS (
                            INSERT INTO snapshot_location AS l (snapshot_id, store_id, state, since, confirmed_at)
                            SELECT s.id, :store, 'PRESENT', now(), now() FROM snapshot s
                             WHERE s.id = ANY (:held) AND s.state IN ('READY', 'QUARANTINED')
                               AND (EXISTS (SELECT 1 FROM snapshot_location h WHERE h.snapshot_id = s.id AND h.store_id = :store)
                                    OR NOT EXISTS (SELECT 1 FROM operation o
                                                    WHERE o.snapshot_id = s.id AND o.store_id = :store AND o.kind = 'EVICT'
                                                      AND o.state = 'SUCCEEDED' AND o.finished_at > now() - interval '1 minute'))
                            ON CONFLICT (snapshot_id, store_id) DO UPDATE SET confirmed_at = now()
                             WHERE l.confirmed_at < now() - interval '20 seconds')
                        DELETE FROM snapshot_location
                         WHERE store_id = :store AND state IN ('PRESENT', 'CORRUPT') AND snapshot_id <> ALL (:held)
                           AND confirmed_at < now() - interval '1 minute'
                        """).param("store", store.value()).param("held", array(held)).update();
    }

    /**
     * Snapshots of these that were deleted, or whose save was given up: a node that has them was away. A suspend snapshot is
     * all that a process which is still there can go on from: that one is left alone.
     */
    List<SnapshotId> unwantedOf(Collection<SnapshotId> held) {
        return jdbc.sql("""
                        SELECT id FROM snapshot
                         WHERE id = ANY (:held) AND (state = 'DELETED' OR state = 'FAILED' AND engine <> 'suspend')
                        """)
                .param("held", array(held))
                .query((row, number) -> new SnapshotId(row.getObject("id", UUID.class)))
                .list();
    }

    List<Location> of(SnapshotId snapshot) {
        return jdbc.sql(SELECT.formatted("snapshot_id = ?", "l.confirmed_at DESC, l.store_id"))
                .param(snapshot.value())
                .query(LocationStore::map)
                .list();
    }

    List<Location> of(Collection<SnapshotId> snapshots) {
        return jdbc.sql(SELECT.formatted("snapshot_id = ANY (:snapshots)", "l.snapshot_id, l.store_id"))
                .param("snapshots", array(snapshots))
                .query(LocationStore::map)
                .list();
    }

    /** How many copies are {@link Location#unreadable}, by why; a reason that none has is missing. */
    Map<Unreadable, Long> countUnreadable() {
        Map<Unreadable, Long> counts = new EnumMap<>(Unreadable.class);
        jdbc.sql("""
                        WITH d AS MATERIALIZED (
                            SELECT l.store_id, l.sealed_for, l.signed_by, nullif(l.unread, 'IN_USE') AS unread, count(*) AS copies
                              FROM snapshot_location l JOIN store s ON s.id = l.store_id AND s.kind <> 'MEMORY'
                             WHERE l.state = 'PRESENT' GROUP BY 1, 2, 3, 4)
                        SELECT coalesce(d.unread, 'NO_READER') AS why, sum(d.copies) AS copies
                          FROM d WHERE d.unread IS NOT NULL OR <closed> GROUP BY 1
                        """.replace("<closed>", CLOSED)).query(row -> {
            counts.put(Unreadable.valueOf(row.getString("why")), row.getLong("copies"));
        });
        return counts;
    }

    Map<SnapshotId, Map<StoreId, Set<NodeId>>> strangers() {
        Map<SnapshotId, Map<StoreId, Set<NodeId>>> found = new HashMap<>();
        // What it takes is looked at once for each pair of owner and signer: there are few of them, and many copies.
        jdbc.sql("""
                        WITH taken AS MATERIALIZED (
                            SELECT DISTINCT l.sealed_for, l.signed_by FROM snapshot_location l
                             WHERE l.state = 'PRESENT' AND (l.sealed_for IS NOT NULL OR l.signed_by IS NOT NULL)),
                        strange AS MATERIALIZED (
                            SELECT taken.*, n.id AS node_id FROM taken JOIN node n ON n.state = 'ONLINE'
                             WHERE NOT node_reads(n.inventory, taken.sealed_for, taken.signed_by))
                        SELECT l.snapshot_id, l.store_id, strange.node_id
                          FROM strange JOIN node_tier t ON t.node_id = strange.node_id
                          JOIN store s ON s.id = t.store_id AND s.node_id IS NULL
                          JOIN snapshot_location l ON l.store_id = s.id AND l.state = 'PRESENT'
                               AND l.sealed_for IS NOT DISTINCT FROM strange.sealed_for
                               AND l.signed_by IS NOT DISTINCT FROM strange.signed_by
                        """).query(row -> {
            found.computeIfAbsent(new SnapshotId(row.getObject("snapshot_id", UUID.class)), any -> new HashMap<>())
                    .computeIfAbsent(new StoreId(row.getObject("store_id", UUID.class)), any -> new HashSet<>())
                    .add(new NodeId(row.getObject("node_id", UUID.class)));
        });
        return found;
    }

    private static UUID[] array(Collection<SnapshotId> ids) {
        return ids.stream().map(SnapshotId::value).distinct().toArray(UUID[]::new);
    }

    private static Location map(ResultSet row, int number) throws SQLException {
        LocationState state = LocationState.valueOf(row.getString("state"));
        String unread = row.getString("unread");
        return new Location(
                new SnapshotId(row.getObject("snapshot_id", UUID.class)),
                new StoreId(row.getObject("store_id", UUID.class)),
                Inventory.TierKind.valueOf(row.getString("kind")),
                Optional.ofNullable(row.getObject("node_id", UUID.class)).map(NodeId::new),
                row.getBoolean("lost"),
                instant(row, "silent_since"),
                state,
                row.getString(state == LocationState.REMOVING ? "removal_reason" : "reason"),
                row.getString("damage"),
                row.getObject("since", OffsetDateTime.class).toInstant(),
                row.getBoolean("closed"),
                unread == null ? null : TierResult.Unread.valueOf(unread),
                instant(row, "verified_at"),
                row.getObject("stored_bytes", Long.class));
    }

    private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
        OffsetDateTime time = row.getObject(column, OffsetDateTime.class);
        return time == null ? null : time.toInstant();
    }
}
