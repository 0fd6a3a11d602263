package io.gpusnap.service.fanout;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.PeerKey;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.json.JsonColumns;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Who works on which snapshot; plain SQL, all time the database's. */
@Component
class PeerRepository {
    /** Only what ends in a tier of the node's own is gathered with others. */
    private static final String GATHERS =
            "(o.kind = 'THAW' OR o.kind = 'TRANSFER' AND o.spec #>> '{tier,name}' IN ('memory', 'nvme'))";

    private final JdbcClient jdbc;
    private final JsonColumns json;

    PeerRepository(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /**
     * A claimed operation, and who claimed it.
     *
     * @param gathers whether others can help with it
     * @param endpoint absent when its node does not deal with others
     */
    record Work(
            boolean running,
            boolean gathers,
            @Nullable SnapshotId snapshotId,
            @Nullable String manifestDigest,
            Instant since,
            Optional<Inventory.PeerEndpoint> endpoint,
            Instant now) {}

    Optional<Work> work(OperationId operation, NodeId node) {
        return jdbc.sql("""
                        SELECT o.state = 'RUNNING' AS running, %s AS gathers, o.snapshot_id, o.spec ->> 'manifestDigest' AS digest,
                               coalesce(o.started_at, now()) AS since, n.inventory -> 'peer' AS peer, now() AS now
                          FROM operation o JOIN node n ON n.id = o.node_id
                         WHERE o.id = :operation AND o.node_id = :node
                        """.formatted(GATHERS))
                .param("operation", operation.value())
                .param("node", node.value())
                .query((row, number) -> {
                    UUID snapshot = row.getObject("snapshot_id", UUID.class);
                    return new Work(
                            row.getBoolean("running"),
                            row.getBoolean("gathers"),
                            snapshot == null ? null : new SnapshotId(snapshot),
                            row.getString("digest"),
                            instant(row, "since"),
                            endpoint(row),
                            instant(row, "now"));
                })
                .optional();
    }

    /** Another node, with what its tokens are made with. */
    record Found(NodeId node, Inventory.PeerEndpoint endpoint, PeerRole role, Instant since, PeerKey key) {}

    /**
     * Nodes that are heard, of the same tenant, that have the snapshot, fetch it, or did so not long ago; one that is several of
     * these is the first. Those that fetch come first and in the order in which they began, so that all who ask are told the
     * same where there are too many.
     */
    List<Found> others(SnapshotId snapshot, NodeId self, String tenant, Duration recent, int limit) {
        return jdbc.sql("""
                        WITH parts AS (
                            SELECT s.node_id, 'HOLDER' AS role, 1 AS rank, l.since
                              FROM snapshot_location l JOIN store s ON s.id = l.store_id
                             WHERE l.snapshot_id = :snapshot AND l.state = 'PRESENT' AND s.kind = 'NVME' AND s.node_id IS NOT NULL
                            UNION ALL
                            SELECT o.node_id, 'FETCHER', 2, o.started_at FROM operation o
                             WHERE o.snapshot_id = :snapshot AND o.state = 'RUNNING' AND %s
                            UNION ALL
                            SELECT o.node_id, 'RECENT', 3, o.started_at FROM operation o
                             WHERE o.snapshot_id = :snapshot AND o.state = 'SUCCEEDED' AND o.kind = 'THAW'
                               AND o.finished_at > now() - make_interval(secs => :recent)),
                        best AS (
                            SELECT DISTINCT ON (node_id) node_id, role, since FROM parts ORDER BY node_id, rank, since)
                        SELECT n.id, n.inventory -> 'peer' AS peer, b.role, b.since, n.session_digest
                          FROM best b JOIN node n ON n.id = b.node_id
                         WHERE n.id <> :self AND n.state = 'ONLINE' AND n.inventory #>> '{peer,tenant}' = :tenant
                         ORDER BY b.role <> 'FETCHER', b.since, n.id LIMIT :limit
                        """.formatted(GATHERS))
                .param("snapshot", snapshot.value())
                .param("self", self.value())
                .param("tenant", tenant)
                .param("recent", recent.toMillis() / 1000.0)
                .param("limit", limit)
                .query((row, number) -> new Found(
                        new NodeId(row.getObject("id", UUID.class)),
                        endpoint(row).orElseThrow(),
                        PeerRole.valueOf(row.getString("role")),
                        instant(row, "since"),
                        PeerKey.ofDigest(row.getBytes("session_digest"))))
                .list();
    }

    private Optional<Inventory.PeerEndpoint> endpoint(ResultSet row) throws SQLException {
        return Optional.ofNullable(row.getString("peer"))
                .filter(text -> !text.equals("null"))
                .map(text -> json.read(text, Inventory.PeerEndpoint.class));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
