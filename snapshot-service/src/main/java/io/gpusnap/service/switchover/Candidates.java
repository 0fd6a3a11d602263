package io.gpusnap.service.switchover;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Processes of a node as switches look at them, in plain SQL. */
@Component
class Candidates {
    private final JdbcClient jdbc;

    Candidates(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * A process that may have to make room.
     *
     * @param model of its latest snapshot, or of the one that it was restored from; null when there is none
     */
    record Candidate(
            WorkloadId workload,
            String name,
            @Nullable String model,
            @Nullable String version) {}

    /**
     * Those that run, or will when what is queued for them is done; the least recently resumed first, then the longest known.
     *
     * @param except the process that is to be resumed
     */
    List<Candidate> of(NodeId node, WorkloadId except) {
        return jdbc.sql("""
                        SELECT w.id, w.name, v.model_name, v.name AS version_name
                          FROM workload w
                          LEFT JOIN LATERAL (
                               SELECT s.version_id FROM snapshot s
                                WHERE s.version_id IS NOT NULL
                                  AND (s.workload_id = w.id
                                       OR s.id IN (SELECT r.snapshot_id FROM restore r WHERE r.workload_id = w.id))
                                ORDER BY s.id DESC LIMIT 1) latest ON true
                          LEFT JOIN model_version v ON v.id = latest.version_id
                         WHERE w.node_id = :node AND w.id <> :except
                           AND (w.state IN ('RUNNING', 'QUIESCED', 'UNKNOWN')
                                OR w.state = 'SUSPENDED' AND EXISTS (
                                   SELECT 1 FROM operation o
                                    WHERE o.workload_id = w.id AND o.kind IN ('THAW', 'SWITCH')
                                      AND o.state IN ('PENDING', 'RUNNING')))
                         ORDER BY (SELECT max(o.finished_at) FROM restore r JOIN operation o ON o.restore_id = r.id
                                    WHERE r.workload_id = w.id AND o.state = 'SUCCEEDED') NULLS FIRST,
                                  w.first_seen_at, w.id
                        """)
                .param("node", node.value())
                .param("except", except.value())
                .query(Candidates::map)
                .list();
    }

    private static Candidate map(ResultSet row, int number) throws SQLException {
        return new Candidate(
                new WorkloadId(row.getObject("id", UUID.class)),
                row.getString("name"),
                row.getString("model_name"),
                row.getString("version_name"));
    }

    /** The snapshot that a switch on its way is about to freeze the process as. */
    Optional<SnapshotId> soonFrozenAs(WorkloadId workload) {
        return jdbc.sql("""
                        SELECT s.id FROM snapshot s
                         WHERE s.workload_id = :workload AND s.state = 'CREATING' AND s.engine = 'suspend'
                         ORDER BY s.id DESC LIMIT 1
                        """)
                .param("workload", workload.value())
                .query((row, number) -> new SnapshotId(row.getObject("id", UUID.class)))
                .optional();
    }
}
