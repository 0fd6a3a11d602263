package io.gpusnap.service.recovery;

import io.gpusnap.service.node.WorkloadReport;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RecoveryId;
import io.gpusnap.service.platform.id.RestoreId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code recovery}, in plain SQL. All time is the database's. */
@Component
class RecoveryStore {
    /** Held by whoever counts what is on its way, so that instances do not pass the limit together. */
    private static final long GATE = 0x67707573_72656376L;

    private final JdbcClient jdbc;
    private final JsonColumns json;

    RecoveryStore(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** A process that is to be recovered: the restore that it came from, and its priority. */
    private record Lost(UUID workload, UUID restore, int priority) {}

    /**
     * Takes in every process of the node that came from a restore which wants that. Returns how many. A switch wishes nothing of
     * its own: the restore before it says what is wanted.
     */
    int takeIn(NodeId node) {
        List<Lost> lost = jdbc.sql("""
                        SELECT w.id AS workload, r.id AS restore, r.recovery_priority AS priority
                          FROM workload w
                          JOIN LATERAL (SELECT id, recovery_priority FROM restore
                                         WHERE workload_id = w.id AND wish IS NOT NULL ORDER BY id DESC LIMIT 1) r ON true
                         WHERE w.node_id = :node AND w.state <> 'GONE' AND r.recovery_priority IS NOT NULL
                           AND NOT EXISTS (SELECT 1 FROM recovery k WHERE k.lost_restore_id = r.id)
                        """)
                .param("node", node.value())
                .query((row, number) -> new Lost(
                        row.getObject("workload", UUID.class),
                        row.getObject("restore", UUID.class),
                        row.getInt("priority")))
                .list();
        for (Lost one : lost) {
            jdbc.sql("""
                            INSERT INTO recovery (id, state, node_id, workload_id, lost_restore_id, priority, fenced, created_at)
                            VALUES (:id, 'WAITING', :node, :workload, :restore, :priority, false, now())
                            ON CONFLICT DO NOTHING
                            """)
                    .param("id", RecoveryId.next().value())
                    .param("node", node.value())
                    .param("workload", one.workload())
                    .param("restore", one.restore())
                    .param("priority", one.priority())
                    .update();
        }
        return lost.size();
    }

    /** Whose turn it is. {@code takenAt} tells this turn from a later one of the same. */
    record Turn(RecoveryId id, RestoreId lostRestore, NodeId lostNode, OffsetDateTime takenAt) {}

    /** Takes the most important one that waits, unless enough are on their way; in the caller's transaction. */
    Optional<Turn> next(int maxInFlight) {
        jdbc.sql("SELECT pg_advisory_xact_lock(?)")
                .param(GATE)
                .query((row, number) -> 0)
                .single();
        return jdbc.sql("""
                        UPDATE recovery SET state = 'PLACING', taken_at = now()
                         WHERE id = (SELECT id FROM recovery
                                      WHERE state = 'WAITING'
                                        AND (SELECT count(*) FROM recovery WHERE state = 'PLACING') < :most
                                      ORDER BY priority DESC, id LIMIT 1
                                        FOR UPDATE SKIP LOCKED)
                        RETURNING id, lost_restore_id, node_id, taken_at
                        """)
                .param("most", maxInFlight)
                .query((row, number) -> new Turn(
                        new RecoveryId(row.getObject("id", UUID.class)),
                        new RestoreId(row.getObject("lost_restore_id", UUID.class)),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        row.getObject("taken_at", OffsetDateTime.class)))
                .optional();
    }

    /** Whether the turn was still that one; else whatever was made in it must not last. */
    boolean placedBy(Turn turn, RestoreId restore) {
        return jdbc.sql("""
                        UPDATE recovery SET restore_id = :restore
                         WHERE id = :id AND state = 'PLACING' AND restore_id IS NULL AND taken_at = :takenAt
                        """)
                        .param("restore", restore.value())
                        .param("id", turn.id().value())
                        .param("takenAt", turn.takenAt())
                        .update()
                == 1;
    }

    /** The turn came to nothing: for good, or until the next one. */
    void unplaced(Turn turn, boolean forGood) {
        jdbc.sql("""
                        UPDATE recovery SET state = :state, ended_at = CASE WHEN :forGood THEN now() END
                         WHERE id = :id AND state = 'PLACING' AND restore_id IS NULL AND taken_at = :takenAt
                        """)
                .param("state", forGood ? "FAILED" : "WAITING")
                .param("forGood", forGood)
                .param("id", turn.id().value())
                .param("takenAt", turn.takenAt())
                .update();
    }

    /** Ends those whose restore has ended, and gives back the turns of instances that died in them. */
    void settle() {
        jdbc.sql("""
                        UPDATE recovery SET state = 'WAITING'
                         WHERE state = 'PLACING' AND restore_id IS NULL AND taken_at < now() - interval '1 minute'
                        """).update();
        jdbc.sql("""
                        UPDATE recovery k
                           SET state = CASE r.outcome WHEN 'RESTORED' THEN 'RECOVERED' WHEN 'COLD' THEN 'COLD' ELSE 'FAILED' END,
                               ended_at = now()
                          FROM restore r
                         WHERE k.state = 'PLACING' AND r.id = k.restore_id AND r.outcome IS NOT NULL
                        """).update();
    }

    /** Of a node that came back: what it still has and nobody has begun to recover stays where it is. */
    void notNeeded(NodeId node, List<WorkloadReport> reported) {
        jdbc.sql("""
                        UPDATE recovery k SET state = 'NOT_NEEDED', ended_at = now()
                          FROM workload w, jsonb_to_recordset(:reported::jsonb) AS p (pid integer, ticks bigint)
                         WHERE k.node_id = :node AND k.state = 'WAITING' AND w.id = k.workload_id
                           AND w.pid = p.pid AND w.start_time_ticks = p.ticks
                        """)
                .param("node", node.value())
                .param("reported", processes(reported))
                .update();
    }

    /** Of a node that came back: processes that are, or are about to be, somewhere else; they are taken note of. */
    List<WorkloadReport> fence(NodeId node, List<WorkloadReport> reported) {
        record Process(int pid, long ticks) {}
        List<Process> found = jdbc.sql("""
                        UPDATE recovery k SET fenced = true
                          FROM workload w, jsonb_to_recordset(:reported::jsonb) AS p (pid integer, ticks bigint)
                         WHERE k.node_id = :node AND k.state NOT IN ('WAITING', 'NOT_NEEDED') AND w.id = k.workload_id
                           AND w.pid = p.pid AND w.start_time_ticks = p.ticks
                        RETURNING w.pid, w.start_time_ticks AS ticks
                        """)
                .param("node", node.value())
                .param("reported", processes(reported))
                .query((row, number) -> new Process(row.getInt("pid"), row.getLong("ticks")))
                .list();
        return reported.stream()
                .filter(one -> found.contains(new Process(one.pid(), one.startTimeTicks())))
                .toList();
    }

    /** Whether the node has anything that could concern {@link #fence} or {@link #notNeeded}: cheap, by index. */
    boolean concerns(NodeId node) {
        return jdbc.sql("SELECT EXISTS (SELECT 1 FROM recovery WHERE node_id = ?)")
                .param(node.value())
                .query(Boolean.class)
                .single();
    }

    private String processes(List<WorkloadReport> reported) {
        record Process(int pid, long ticks) {}
        return json.write(reported.stream()
                .map(one -> new Process(one.pid(), one.startTimeTicks()))
                .toList());
    }

    /** Newest first. */
    List<Recovery> list(@Nullable NodeId node, @Nullable RecoveryState state, PageQuery query) {
        return jdbc.sql("""
                        SELECT * FROM recovery
                         WHERE (:node::uuid IS NULL OR node_id = :node::uuid)
                           AND (:state::text IS NULL OR state = :state::text)
                           AND (:after::uuid IS NULL OR id < :after::uuid)
                         ORDER BY id DESC LIMIT :limit
                        """)
                .param("node", node == null ? null : node.toString())
                .param("state", state == null ? null : state.name())
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(RecoveryStore::map)
                .list();
    }

    Map<RecoveryState, Long> countByState() {
        return jdbc
                .sql("SELECT state, count(*) AS n FROM recovery GROUP BY state")
                .query((row, number) -> Map.entry(RecoveryState.valueOf(row.getString("state")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static Recovery map(ResultSet row, int number) throws SQLException {
        UUID workload = row.getObject("workload_id", UUID.class);
        UUID restore = row.getObject("restore_id", UUID.class);
        OffsetDateTime ended = row.getObject("ended_at", OffsetDateTime.class);
        return new Recovery(
                new RecoveryId(row.getObject("id", UUID.class)),
                RecoveryState.valueOf(row.getString("state")),
                new NodeId(row.getObject("node_id", UUID.class)),
                workload == null ? null : new WorkloadId(workload),
                new RestoreId(row.getObject("lost_restore_id", UUID.class)),
                restore == null ? null : new RestoreId(restore),
                row.getInt("priority"),
                row.getBoolean("fenced"),
                instant(row, "created_at"),
                ended == null ? null : ended.toInstant());
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
