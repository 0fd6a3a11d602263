package io.gpusnap.service.workload;

import io.gpusnap.service.node.WorkloadReport;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code workload}, in plain SQL: every heartbeat of every node writes it. */
@Component
class WorkloadRepository {
    private static final String UPSERT = """
            WITH reported AS (
                SELECT * FROM jsonb_to_recordset(:rows::jsonb) AS r (
                    id uuid, pid integer, ticks bigint, name text, executable text, "commandLine" jsonb, state text,
                    bytes bigint, allocations integer, ports jsonb, suspended uuid, refusals jsonb)),
            written AS (
                INSERT INTO workload AS w (id, node_id, pid, start_time_ticks, name, executable, command_line, state, managed_bytes,
                                           allocations, listening_ports, suspended_snapshot_id, refusals, first_seen_at, last_seen_at)
                SELECT id, :node, pid, ticks, name, executable, "commandLine", state, bytes, allocations, ports, suspended, refusals, now(), now()
                  FROM reported
                ON CONFLICT ON CONSTRAINT workload_process DO UPDATE
                   SET name = excluded.name, executable = excluded.executable, command_line = excluded.command_line,
                       state = excluded.state, managed_bytes = excluded.managed_bytes, allocations = excluded.allocations,
                       listening_ports = excluded.listening_ports, suspended_snapshot_id = excluded.suspended_snapshot_id,
                       refusals = excluded.refusals, last_seen_at = now()
                RETURNING w.id)
            """;

    private final JdbcClient jdbc;
    private final JsonColumns json;

    WorkloadRepository(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** One report as {@link #UPSERT} reads it. */
    private record Row(
            UUID id,
            int pid,
            long ticks,
            String name,
            @Nullable String executable,
            List<String> commandLine,
            String state,
            long bytes,
            int allocations,
            List<Integer> ports,
            @Nullable UUID suspended,
            List<WorkloadReport.Refusal> refusals) {

        static Row of(WorkloadReport report) {
            return new Row(
                    WorkloadId.next().value(),
                    report.pid(),
                    report.startTimeTicks(),
                    report.name(),
                    report.executable(),
                    Objects.requireNonNullElse(report.commandLine(), List.of()),
                    report.state().name(),
                    report.managedBytes(),
                    report.allocations(),
                    Objects.requireNonNullElse(report.listeningPorts(), List.of()),
                    report.suspendedSnapshotId() == null
                            ? null
                            : report.suspendedSnapshotId().value(),
                    Objects.requireNonNullElse(report.refusals(), List.of()));
        }
    }

    /**
     * Makes the node's rows what it reports, in one statement. A process that came back a moment ago may be missing in a
     * report that was on its way; it is not taken for gone yet.
     */
    void replace(NodeId node, List<WorkloadReport> reports) {
        jdbc.sql(UPSERT + """
                        UPDATE workload SET state = 'GONE'
                         WHERE node_id = :node AND state <> 'GONE' AND last_seen_at < now() - interval '2 seconds'
                           AND NOT EXISTS (SELECT 1 FROM written WHERE written.id = workload.id)
                        """)
                .param("rows", json.write(distinct(reports)))
                .param("node", node.value())
                .update();
    }

    /** One row a process, the last one reported: the statement must not write a row twice. */
    private static List<Row> distinct(List<WorkloadReport> reports) {
        record Process(int pid, long startTimeTicks) {}
        Map<Process, Row> rows = new LinkedHashMap<>();
        reports.forEach(report -> rows.put(new Process(report.pid(), report.startTimeTicks()), Row.of(report)));
        return List.copyOf(rows.values());
    }

    /** A process that runs again; of one that is known already, the rest stays as it was reported. */
    WorkloadId putRunning(NodeId node, int pid, long startTimeTicks, String name) {
        return new WorkloadId(jdbc.sql("""
                        INSERT INTO workload AS w (id, node_id, pid, start_time_ticks, name, command_line, state, managed_bytes,
                                                   allocations, listening_ports, refusals, first_seen_at, last_seen_at)
                        VALUES (:id, :node, :pid, :ticks, :name, '[]', 'RUNNING', 0, 0, '[]', '[]', now(), now())
                        ON CONFLICT ON CONSTRAINT workload_process DO UPDATE
                           SET state = 'RUNNING', suspended_snapshot_id = NULL, last_seen_at = now()
                        RETURNING id
                        """)
                .param("id", WorkloadId.next().value())
                .param("node", node.value())
                .param("pid", pid)
                .param("ticks", startTimeTicks)
                .param("name", name)
                .query((row, number) -> row.getObject("id", UUID.class))
                .single());
    }

    void setState(WorkloadId id, WorkloadState state, @Nullable SnapshotId suspended) {
        jdbc.sql(
                        "UPDATE workload SET state = :state, suspended_snapshot_id = :suspended, last_seen_at = now() WHERE id = :id")
                .param("state", state.name())
                .param("suspended", suspended == null ? null : suspended.value(), java.sql.Types.OTHER)
                .param("id", id.value())
                .update();
    }

    void setStateOfNode(NodeId node, WorkloadState state) {
        jdbc.sql("UPDATE workload SET state = :state WHERE node_id = :node AND state NOT IN ('GONE', 'LOST')")
                .param("state", state.name())
                .param("node", node.value())
                .update();
    }

    int forget(Duration unseen) {
        return jdbc.sql(
                        "DELETE FROM workload WHERE state IN ('GONE', 'LOST') AND last_seen_at < now() - make_interval(secs => :unseen)")
                .param("unseen", unseen.toMillis() / 1000.0)
                .update();
    }

    Optional<Workload> find(WorkloadId id) {
        return jdbc.sql("SELECT * FROM workload WHERE id = ?")
                .param(id.value())
                .query(this::map)
                .optional();
    }

    List<Workload> list(@Nullable NodeId node, @Nullable String name, @Nullable WorkloadState state, PageQuery query) {
        return jdbc.sql("""
                        SELECT * FROM workload
                         WHERE (:node::uuid IS NULL OR node_id = :node::uuid)
                           AND (:name::text IS NULL OR name = :name::text)
                           AND (:state::text IS NULL OR state = :state::text)
                           AND (:after::uuid IS NULL OR id < :after::uuid)
                         ORDER BY id DESC LIMIT :limit
                        """)
                .param("node", node == null ? null : node.toString())
                .param("name", name)
                .param("state", state == null ? null : state.name())
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(this::map)
                .list();
    }

    Map<WorkloadState, Long> countByState() {
        return jdbc
                .sql("SELECT state, count(*) AS n FROM workload GROUP BY state")
                .query((row, number) -> Map.entry(WorkloadState.valueOf(row.getString("state")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private Workload map(ResultSet row, int number) throws SQLException {
        UUID suspended = row.getObject("suspended_snapshot_id", UUID.class);
        return new Workload(
                new WorkloadId(row.getObject("id", UUID.class)),
                new NodeId(row.getObject("node_id", UUID.class)),
                row.getInt("pid"),
                row.getLong("start_time_ticks"),
                row.getString("name"),
                row.getString("executable"),
                json.readList(row.getString("command_line"), String.class),
                WorkloadState.valueOf(row.getString("state")),
                row.getLong("managed_bytes"),
                row.getInt("allocations"),
                json.readList(row.getString("listening_ports"), Integer.class),
                suspended == null ? null : new SnapshotId(suspended),
                json.readList(row.getString("refusals"), WorkloadReport.Refusal.class),
                instant(row, "first_seen_at"),
                instant(row, "last_seen_at"));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
