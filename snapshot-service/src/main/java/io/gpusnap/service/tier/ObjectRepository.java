package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;

/** {@link ObjectTable} of one store in the tables {@code store_object} and {@code store_reference}. */
final class ObjectRepository implements ObjectTable {
    private final JdbcClient jdbc;
    private final StoreId store;

    private ObjectRepository(JdbcClient jdbc, StoreId store) {
        this.jdbc = jdbc;
        this.store = store;
    }

    /** For looking only. */
    static ObjectRepository unlocked(JdbcClient jdbc, StoreId store) {
        return new ObjectRepository(jdbc, store);
    }

    /** Takes the store's lock until the caller's transaction ends. */
    static ObjectRepository locked(JdbcClient jdbc, StoreId store) {
        jdbc.sql("SELECT 1 FROM store WHERE id = ? FOR NO KEY UPDATE")
                .param(store.value())
                .query()
                .singleValue();
        return new ObjectRepository(jdbc, store);
    }

    @Override
    public Map<String, ObjectState> states(Collection<String> names) {
        Map<String, ObjectState> states = new HashMap<>();
        statement("SELECT name, state FROM store_object WHERE store_id = :store AND name = ANY (:names)")
                .param("names", array(names))
                .query(row -> {
                    states.put(row.getString("name"), ObjectState.valueOf(row.getString("state")));
                });
        return states;
    }

    @Override
    public void add(Map<String, Long> sizes, ObjectState state) {
        if (sizes.isEmpty()) {
            return;
        }
        List<Map.Entry<String, Long>> entries = List.copyOf(sizes.entrySet());
        statement("""
                        INSERT INTO store_object (store_id, name, size_bytes, state, since)
                        SELECT :store, n, b, :state, now() FROM unnest(:names::text[], :sizes::bigint[]) AS o (n, b)
                        """)
                .param("names", entries.stream().map(Map.Entry::getKey).toArray(String[]::new))
                .param("sizes", entries.stream().map(Map.Entry::getValue).toArray(Long[]::new))
                .param("state", state.name())
                .update();
    }

    @Override
    public void move(Collection<String> names, ObjectState to) {
        if (!names.isEmpty()) {
            statement(
                            "UPDATE store_object SET state = :state, since = now() WHERE store_id = :store AND name = ANY (:names)")
                    .param("state", to.name())
                    .param("names", array(names))
                    .update();
        }
    }

    @Override
    public void refer(SnapshotId snapshot, Collection<String> names) {
        statement(
                        "INSERT INTO store_reference (store_id, name, snapshot_id) SELECT :store, n, :snapshot FROM unnest(:names::text[]) AS n")
                .param("snapshot", snapshot.value())
                .param("names", array(names))
                .update();
    }

    @Override
    public void unrefer(SnapshotId snapshot) {
        statement("DELETE FROM store_reference WHERE store_id = :store AND snapshot_id = :snapshot")
                .param("snapshot", snapshot.value())
                .update();
    }

    @Override
    public List<String> unreferred(int limit) {
        return statement("""
                        SELECT o.name FROM store_object o
                         WHERE o.store_id = :store AND o.state = 'USED'
                           AND NOT EXISTS (SELECT 1 FROM store_reference r WHERE r.store_id = o.store_id AND r.name = o.name)
                         ORDER BY o.name LIKE 'snapshots/%' DESC, o.name LIMIT :limit
                        """).param("limit", limit).query(String.class).list();
    }

    @Override
    public List<String> ripe(Duration atLeast, Instant before, int limit) {
        return statement("""
                        SELECT o.name FROM store_object o
                         WHERE o.store_id = :store AND o.state = 'CONDEMNED' AND o.since < :before
                           AND o.since <= now() - make_interval(secs => :atLeast)
                           AND NOT (o.name LIKE 'packs/%' AND EXISTS (
                                 SELECT 1 FROM store_object i
                                  WHERE i.store_id = o.store_id AND i.name = 'indexes/' || substring(o.name FROM '[^/]*$')
                                    AND i.state IN ('USED', 'CONDEMNED')))
                         ORDER BY o.since, o.name LIMIT :limit
                        """)
                .param("before", before.atOffset(ZoneOffset.UTC))
                .param("atLeast", atLeast.toMillis() / 1000.0)
                .param("limit", limit)
                .query(String.class)
                .list();
    }

    @Override
    public List<String> deletedBefore(Instant before, int limit) {
        return statement("""
                        SELECT name FROM store_object WHERE store_id = :store AND state = 'DELETED' AND since < :before
                         ORDER BY since, name LIMIT :limit
                        """)
                .param("before", before.atOffset(ZoneOffset.UTC))
                .param("limit", limit)
                .query(String.class)
                .list();
    }

    @Override
    public List<String> in(ObjectState state, int limit) {
        return statement(
                        "SELECT name FROM store_object WHERE store_id = :store AND state = :state ORDER BY since, name LIMIT :limit")
                .param("state", state.name())
                .param("limit", limit)
                .query(String.class)
                .list();
    }

    @Override
    public void forget(Collection<String> names) {
        if (!names.isEmpty()) {
            statement("DELETE FROM store_object WHERE store_id = :store AND name = ANY (:names)")
                    .param("names", array(names))
                    .update();
        }
    }

    /**
     * Snapshots that refer to an object of the range that is not among these, and that is USED since before the limit.
     */
    Set<SnapshotId> missing(Collection<String> present, NameRange range, Instant limit) {
        return Set.copyOf(statement("""
                        SELECT DISTINCT r.snapshot_id
                          FROM store_object o JOIN store_reference r ON r.store_id = o.store_id AND r.name = o.name
                         WHERE o.store_id = :store AND o.state = 'USED' AND o.since < :limit
                           AND (:after::text IS NULL OR o.name COLLATE "C" > :after::text)
                           AND (:upTo::text IS NULL OR o.name COLLATE "C" <= :upTo::text)
                           AND NOT EXISTS (SELECT 1 FROM unnest(:present::text[]) AS p WHERE p = o.name)
                        """)
                .param("limit", limit.atOffset(ZoneOffset.UTC))
                .param("after", range.after())
                .param("upTo", range.upTo())
                .param("present", array(present))
                .query((row, number) -> new SnapshotId(row.getObject(1, UUID.class)))
                .list());
    }

    @Override
    public Instant oldestTransfer() {
        return statement("""
                        SELECT least(now(), min(o.started_at)) FROM operation o
                         WHERE o.store_id = :store AND o.kind = 'TRANSFER' AND o.state = 'RUNNING'
                        """)
                .query((row, number) -> row.getObject(1, OffsetDateTime.class).toInstant())
                .single();
    }

    private JdbcClient.StatementSpec statement(String sql) {
        return jdbc.sql(sql).param("store", store.value());
    }

    private static String[] array(Collection<String> names) {
        return names.toArray(String[]::new);
    }
}
