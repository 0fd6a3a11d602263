package io.gpusnap.service.restore;

import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.snapshot.Needs;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Snapshots that could come back, in plain SQL. Each statement reads a bounded number of rows by an index, however many
 * snapshots a version has.
 */
@Component
class Offers {
    private static final int MOST_CLASSES = 16;
    private static final int PER_CLASS = 2;
    private static final int MOST_SUSPENDED = 64;

    private static final String COLUMNS =
            "s.id, s.engine, s.class_key, s.needs, coalesce(s.logical_bytes, 0) AS logical_bytes, s.node_id";

    private static final String WAITS = """
            w.state NOT IN ('GONE', 'LOST')
              AND NOT EXISTS (SELECT 1 FROM restore r WHERE r.snapshot_id = s.id AND r.thaw_seconds IS NOT NULL)
              AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.workload_id = w.id AND o.state IN ('PENDING', 'RUNNING'))
            """;

    private final JdbcClient jdbc;
    private final JsonColumns json;

    Offers(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** The newest full snapshots of each compatibility class: a loose index scan over the classes. */
    List<Offer> full(String model, String version) {
        return jdbc
                .sql("""
                        WITH RECURSIVE class (key, number) AS (
                            (SELECT class_key, 1 FROM snapshot
                              WHERE model_name = :model AND version_name = :version AND engine = 'criu+cuda' AND state = 'READY'
                              ORDER BY class_key LIMIT 1)
                            UNION ALL
                            SELECT (SELECT n.class_key FROM snapshot n
                                     WHERE n.model_name = :model AND n.version_name = :version AND n.engine = 'criu+cuda'
                                       AND n.state = 'READY' AND n.class_key > class.key
                                     ORDER BY n.class_key LIMIT 1), class.number + 1
                              FROM class WHERE class.key IS NOT NULL AND class.number < :classes)
                        SELECT newest.* FROM class CROSS JOIN LATERAL (
                               SELECT\s""" + COLUMNS + """
                                FROM snapshot s
                                WHERE s.model_name = :model AND s.version_name = :version AND s.engine = 'criu+cuda'
                                  AND s.state = 'READY' AND s.class_key = class.key
                                ORDER BY s.id DESC LIMIT :perClass) newest
                         WHERE class.key IS NOT NULL
                        """)
                .param("model", model)
                .param("version", version)
                .param("classes", MOST_CLASSES)
                .param("perClass", PER_CLASS)
                .query(this::row)
                .list()
                .stream()
                .collect(ArrayList::new, Offers::addWithAge, ArrayList::addAll);
    }

    /**
     * Of suspended processes, newest first. One that was resumed, or whose process is gone or busy, cannot come back; its
     * snapshot stays READY, since nothing is wrong with what is stored.
     */
    List<Offer> suspended(String model, String version) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM (" + """
                         SELECT * FROM snapshot
                                WHERE model_name = :model AND version_name = :version AND engine = 'suspend' AND state = 'READY'
                                ORDER BY id DESC LIMIT :most) s
                          JOIN workload w ON w.id = s.workload_id
                         WHERE\s""" + WAITS + " ORDER BY s.id DESC")
                .param("model", model)
                .param("version", version)
                .param("most", MOST_SUSPENDED)
                .query(this::row)
                .list();
    }

    /** Whether the process of this suspend snapshot waits in it, and nothing works on it. */
    boolean canBeResumed(SnapshotId id) {
        return jdbc.sql(
                        "SELECT EXISTS (SELECT 1 FROM snapshot s JOIN workload w ON w.id = s.workload_id WHERE s.id = :id AND "
                                + WAITS + ")")
                .param("id", id.value())
                .query(Boolean.class)
                .single();
    }

    /** This one, if it is READY. */
    Optional<Offer> that(SnapshotId id) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM snapshot s WHERE s.id = ? AND s.state = 'READY'")
                .param(id.value())
                .query(this::row)
                .optional();
    }

    private static void addWithAge(List<Offer> all, Offer next) {
        boolean same = !all.isEmpty() && all.getLast().classKey().equals(next.classKey());
        all.add(
                same
                        ? new Offer(
                                next.id(),
                                next.engine(),
                                next.classKey(),
                                next.needs(),
                                next.logicalBytes(),
                                next.takenOn(),
                                all.getLast().age() + 1)
                        : next);
    }

    private Offer row(ResultSet row, int number) throws SQLException {
        return new Offer(
                new SnapshotId(row.getObject("id", UUID.class)),
                Engine.of(row.getString("engine")),
                row.getString("class_key"),
                Optional.ofNullable(row.getString("needs")).map(text -> json.read(text, Needs.class)),
                row.getLong("logical_bytes"),
                new NodeId(row.getObject("node_id", UUID.class)),
                0);
    }
}
