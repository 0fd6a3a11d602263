package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Tables {@code pool}, {@code pool_node} and {@code pool_model}. */
@Component
class PoolRepository {
    private final JdbcClient jdbc;

    PoolRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    void insert(String name) {
        jdbc.sql(
                        "INSERT INTO pool (name, version, next_run_at, created_at, updated_at) VALUES (?, 0, now(), now(), now())")
                .param(name)
                .update();
    }

    /** Counts the change; false if the version is not the current one any more. */
    boolean touch(String name, long version) {
        return jdbc.sql("""
                        UPDATE pool SET version = version + 1, updated_at = now(), next_run_at = now()
                         WHERE name = ? AND version = ?
                        """).params(name, version).update() == 1;
    }

    boolean delete(String name, long version) {
        return jdbc.sql("DELETE FROM pool WHERE name = ? AND version = ?")
                        .params(name, version)
                        .update()
                == 1;
    }

    void replaceNodes(String name, List<NodeId> nodes) {
        jdbc.sql("DELETE FROM pool_node WHERE pool_name = ?").param(name).update();
        nodes.forEach(node -> jdbc.sql("INSERT INTO pool_node (node_id, pool_name) VALUES (?, ?)")
                .params(node.value(), name)
                .update());
    }

    /** Models that stay keep what is remembered of their waiting. */
    void replaceModels(String name, List<Pool.Member> models) {
        jdbc.sql("DELETE FROM pool_model WHERE pool_name = :pool AND model_name <> ALL (:models)")
                .param("pool", name)
                .param("models", models.stream().map(Pool.Member::model).toArray(String[]::new))
                .update();
        models.forEach(model -> jdbc.sql("""
                        INSERT INTO pool_model (pool_name, model_name, version_name, desired, priority, keep_alive_seconds, min_residency_seconds)
                        VALUES (:pool, :model, :version, :desired, :priority, :keepAlive, :residency)
                        ON CONFLICT (pool_name, model_name) DO UPDATE
                           SET version_name = excluded.version_name, desired = excluded.desired, priority = excluded.priority,
                               keep_alive_seconds = excluded.keep_alive_seconds,
                               min_residency_seconds = excluded.min_residency_seconds
                        """)
                .param("pool", name)
                .param("model", model.model())
                .param("version", model.versionName())
                .param("desired", model.desiredReplicas())
                .param("priority", model.priority())
                .param("keepAlive", model.keepAliveSeconds())
                .param("residency", model.minResidencySeconds())
                .update());
    }

    Optional<Pool> find(String name) {
        return jdbc.sql("SELECT name, version, created_at, updated_at FROM pool WHERE name = ?")
                .param(name)
                .query(this::map)
                .optional();
    }

    /** By name. */
    List<Pool> list(PageQuery query) {
        return jdbc.sql("""
                        SELECT name, version, created_at, updated_at FROM pool
                         WHERE (:after::text IS NULL OR name > :after::text) ORDER BY name LIMIT :limit
                        """)
                .param("after", query.after().orElse(null))
                .param("limit", query.size() + 1)
                .query(this::map)
                .list();
    }

    private Pool map(ResultSet row, int number) throws SQLException {
        String name = row.getString("name");
        return new Pool(
                name,
                nodes(name),
                models(name),
                row.getLong("version"),
                row.getObject("created_at", OffsetDateTime.class).toInstant(),
                row.getObject("updated_at", OffsetDateTime.class).toInstant());
    }

    private List<NodeId> nodes(String pool) {
        return jdbc.sql("SELECT node_id FROM pool_node WHERE pool_name = ? ORDER BY node_id")
                .param(pool)
                .query((row, number) -> new NodeId(row.getObject("node_id", UUID.class)))
                .list();
    }

    private List<Pool.Member> models(String pool) {
        return jdbc.sql("SELECT * FROM pool_model WHERE pool_name = ? ORDER BY model_name")
                .param(pool)
                .query((row, number) -> new Pool.Member(
                        row.getString("model_name"),
                        row.getString("version_name"),
                        row.getInt("desired"),
                        row.getInt("priority"),
                        row.getInt("keep_alive_seconds"),
                        row.getInt("min_residency_seconds")))
                .list();
    }
}
