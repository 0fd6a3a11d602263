package io.gpusnap.service.forecast;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code model_demand_now}: one row a model. Each statement that keeps something says whether it changed a value. */
@Component
class LatestDemandRepository {
    private final JdbcClient jdbc;

    LatestDemandRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** Two reports at the same time may both say that they changed something, which costs a look for nothing. */
    boolean keep(String model, DemandReport report) {
        return jdbc.sql("""
                        WITH before AS (
                            SELECT request_rate, queue_depth, replicas FROM model_demand_now
                             WHERE model_name = :model AND reported_at IS NOT NULL),
                        kept AS (
                            INSERT INTO model_demand_now (model_name, request_rate, queue_depth, replicas, reported_at)
                            VALUES (:model, :rate, :queue, :replicas, now())
                            ON CONFLICT (model_name) DO UPDATE
                               SET request_rate = excluded.request_rate, queue_depth = excluded.queue_depth,
                                   replicas = excluded.replicas, reported_at = excluded.reported_at
                            RETURNING request_rate, queue_depth, replicas)
                        SELECT NOT EXISTS (SELECT * FROM before INTERSECT SELECT * FROM kept)
                        """)
                .param("model", model)
                .param("rate", report.requestsPerSecond())
                .param("queue", report.queueDepth())
                .param("replicas", report.replicasDesired())
                .query(Boolean.class)
                .single();
    }

    boolean keepWanted(String model, int replicas) {
        return jdbc.sql("""
                        WITH before AS (SELECT desired_replicas FROM model_demand_now WHERE model_name = :model),
                        kept AS (
                            INSERT INTO model_demand_now (model_name, desired_replicas, desired_at)
                            VALUES (:model, :replicas, now())
                            ON CONFLICT (model_name) DO UPDATE
                               SET desired_replicas = excluded.desired_replicas, desired_at = excluded.desired_at
                            RETURNING desired_replicas)
                        SELECT NOT EXISTS (SELECT * FROM before INTERSECT SELECT * FROM kept)
                        """)
                .param("model", model)
                .param("replicas", replicas)
                .query(Boolean.class)
                .single();
    }

    Optional<LatestDemand> find(String model) {
        return jdbc.sql("""
                        SELECT request_rate, queue_depth, replicas, desired_replicas,
                               extract(epoch FROM now() - reported_at)::double precision AS reported_ago,
                               extract(epoch FROM now() - desired_at)::double precision AS desired_ago
                          FROM model_demand_now WHERE model_name = ?
                        """)
                .param(model)
                .query((row, number) -> new LatestDemand(report(row), desired(row)))
                .optional();
    }

    private static LatestDemand.@Nullable Report report(ResultSet row) throws SQLException {
        Duration age = age(row, "reported_ago");
        return age == null
                ? null
                : new LatestDemand.Report(
                        row.getDouble("request_rate"), row.getInt("queue_depth"), row.getInt("replicas"), age);
    }

    private static LatestDemand.@Nullable Desired desired(ResultSet row) throws SQLException {
        Duration age = age(row, "desired_ago");
        return age == null ? null : new LatestDemand.Desired(row.getInt("desired_replicas"), age);
    }

    private static @Nullable Duration age(ResultSet row, String column) throws SQLException {
        double seconds = row.getDouble(column);
        return row.wasNull() ? null : Duration.ofMillis(Math.round(seconds * 1000));
    }
}
