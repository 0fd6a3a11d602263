package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.id.PoolDecisionId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code pool_decision}. */
@Component
class DecisionLog {
    private final JdbcClient jdbc;
    private final JsonColumns json;

    DecisionLog(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** What is to be done, before it is known whether it can be. */
    record Entry(
            String pool,
            PoolDecision.Action action,
            String model,
            NodeId node,
            Optional<WorkloadId> leaves,
            boolean replaces,
            String reason) {}

    /** @param refusal why it could not be done; null when it was */
    void add(Entry entry, List<OperationId> operations, @Nullable String refusal) {
        jdbc.sql("""
                        INSERT INTO pool_decision (id, pool_name, action, model_name, node_id, leaves_workload_id, replaces,
                                                   operation_ids, reason, refusal, decided_at)
                        SELECT :id, :pool, :action, :model, :node, :leaves::uuid, :replaces, :operations::jsonb, :reason, :refusal, now()
                         WHERE EXISTS (SELECT 1 FROM pool WHERE name = :pool)
                        """)
                .param("id", PoolDecisionId.next().value())
                .param("pool", entry.pool())
                .param("action", entry.action().name())
                .param("model", entry.model())
                .param("node", entry.node().value())
                .param("leaves", entry.leaves().map(WorkloadId::toString).orElse(null))
                .param("replaces", entry.replaces())
                .param(
                        "operations",
                        json.write(
                                operations.stream().map(OperationId::toString).toList()))
                .param("reason", entry.reason())
                .param("refusal", refusal)
                .update();
    }

    /** Newest first. */
    List<PoolDecision> list(String pool, PageQuery query) {
        return jdbc.sql("""
                        SELECT * FROM pool_decision
                         WHERE pool_name = :pool AND (:after::uuid IS NULL OR id < :after::uuid)
                         ORDER BY id DESC LIMIT :limit
                        """)
                .param("pool", pool)
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(this::map)
                .list();
    }

    int forget(Duration retention) {
        return jdbc.sql("DELETE FROM pool_decision WHERE decided_at < now() - make_interval(secs => :retention)")
                .param("retention", retention.toSeconds())
                .update();
    }

    private PoolDecision map(ResultSet row, int number) throws SQLException {
        UUID leaves = row.getObject("leaves_workload_id", UUID.class);
        return new PoolDecision(
                new PoolDecisionId(row.getObject("id", UUID.class)),
                row.getObject("decided_at", OffsetDateTime.class).toInstant(),
                PoolDecision.Action.valueOf(row.getString("action")),
                row.getString("model_name"),
                new NodeId(row.getObject("node_id", UUID.class)),
                leaves == null ? null : new WorkloadId(leaves),
                json.readList(row.getString("operation_ids"), OperationId.class),
                row.getString("reason"),
                row.getString("refusal"));
    }
}
