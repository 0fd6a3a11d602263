package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What is to be done now for snapshots that are DELETING and that nobody is at. */
@Component
class DeletionTurns {
    /** A report may have been on its way since before the claim. Also the pause before the second try; each later one is twice as long. */
    private static final Duration SAID_FOR = Duration.ofSeconds(20);

    private static final Duration LONGEST_PAUSE = Duration.ofHours(1);

    /** Whether the last of {@code o}, the tries that failed, was long enough ago. */
    private static final String DUE =
            "coalesce(max(o.finished_at) <= now() - make_interval(secs => least(:longest, :saidFor * power(2, least(count(*), 20) - 1))), true)";

    private static final String TRIES =
            "operation o WHERE o.kind = 'DELETE' AND o.snapshot_id = %s AND o.state <> 'SUCCEEDED'";

    private static final String ACTIVE =
            "SELECT 1 FROM operation o WHERE o.kind = 'DELETE' AND o.snapshot_id = %s AND o.state IN ('PENDING', 'RUNNING')";

    /**
     * What a node has is asked of its last report, once for each node, and counts where it comes from so much later than the first one that
     * said that the node is at it no more. A report that does not tell counts as one that names all.
     */
    private static final String TURNS = """
            WITH deleting AS MATERIALIZED (SELECT id, node_id FROM snapshot WHERE state = 'DELETING' AND <which>),
                 part AS MATERIALIZED (
                   SELECT l.snapshot_id, t.node_id, l.removal_failed, l.let_go_at
                     FROM deleting d JOIN snapshot_location l ON l.snapshot_id = d.id JOIN store t ON t.id = l.store_id AND t.kind = 'NVME'
                    WHERE NOT EXISTS (<active of l.snapshot_id> AND o.node_id = t.node_id)),
                 holder AS MATERIALIZED (
                   SELECT n.id, n.state = 'LOST' AS lost, n.last_heartbeat_at AS told_at, n.inventory -> 'snapshots' AS snapshots
                     FROM node n WHERE n.id IN (SELECT node_id FROM part WHERE removal_failed)),
                 silent AS (SELECT id FROM holder WHERE jsonb_typeof(snapshots) IS DISTINCT FROM 'array'),
                 held AS MATERIALIZED (
                   SELECT h.id AS node_id, one.id AS snapshot_id
                     FROM holder h CROSS JOIN LATERAL
                          jsonb_array_elements_text(CASE jsonb_typeof(h.snapshots) WHEN 'array' THEN h.snapshots ELSE '[]' END) AS one (id)),
                 failed AS (
                   SELECT p.snapshot_id, p.node_id, h.lost,
                          EXISTS (SELECT 1 FROM silent WHERE silent.id = h.id)
                          OR EXISTS (SELECT 1 FROM held WHERE held.node_id = h.id AND held.snapshot_id = p.snapshot_id::text) AS there
                     FROM part p JOIN holder h ON h.id = p.node_id
                    WHERE p.removal_failed AND (h.lost OR p.let_go_at <= h.told_at - make_interval(secs => :saidFor))),
                 turn AS (
                   SELECT snapshot_id, node_id, 'TAKE_OVER' AS step FROM part WHERE NOT removal_failed
                   UNION ALL
                   SELECT snapshot_id, node_id, CASE WHEN lost OR NOT there THEN 'DONE' ELSE 'AGAIN' END FROM failed f
                    WHERE lost OR NOT there OR (SELECT <due> FROM <tries of f.snapshot_id> AND o.node_id = f.node_id)
                   UNION ALL
                   SELECT d.id, d.node_id, 'BEGIN' FROM deleting d
                    WHERE NOT EXISTS (SELECT 1 FROM snapshot_location l JOIN store t ON t.id = l.store_id AND t.kind = 'NVME'
                                       WHERE l.snapshot_id = d.id)
                      AND NOT EXISTS (<active of d.id>) AND (SELECT <due> FROM <tries of d.id>))
            """.replace("<active of l.snapshot_id>", ACTIVE.formatted("l.snapshot_id"))
            .replace("<active of d.id>", ACTIVE.formatted("d.id"))
            .replace("<tries of f.snapshot_id>", TRIES.formatted("f.snapshot_id"))
            .replace("<tries of d.id>", TRIES.formatted("d.id"))
            .replace("<due>", DUE);

    private final JdbcClient jdbc;

    DeletionTurns(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** What is to be done for one node. */
    enum Step {
        /** What it has of the snapshot was left by somebody: from now on it counts as a deletion that has failed. */
        TAKE_OVER,
        /** It has nothing of the snapshot any more, or is lost. */
        DONE,
        /** It is told once more. */
        AGAIN,
        /** Of no node it is known that it has something: all of it begins anew. */
        BEGIN
    }

    record Turn(NodeId node, Step step) {}

    /** Snapshots for which there is something to do, by id from this one on, without it. */
    List<SnapshotId> after(SnapshotId last, int most) {
        return query(
                        TURNS.replace("<which>", "id > :id")
                                + "SELECT DISTINCT snapshot_id FROM turn ORDER BY snapshot_id LIMIT :most",
                        last)
                .param("most", most)
                .query((row, number) -> new SnapshotId(row.getObject("snapshot_id", UUID.class)))
                .list();
    }

    /** Of one snapshot, which the caller has locked. */
    List<Turn> of(SnapshotId snapshot) {
        return query(TURNS.replace("<which>", "id = :id") + "SELECT node_id, step FROM turn ORDER BY node_id", snapshot)
                .query(DeletionTurns::map)
                .list();
    }

    private JdbcClient.StatementSpec query(String sql, SnapshotId id) {
        return jdbc.sql(sql)
                .param("id", id.value())
                .param("saidFor", (double) SAID_FOR.toSeconds())
                .param("longest", (double) LONGEST_PAUSE.toSeconds());
    }

    private static Turn map(ResultSet row, int number) throws SQLException {
        return new Turn(new NodeId(row.getObject("node_id", UUID.class)), Step.valueOf(row.getString("step")));
    }
}
