package io.gpusnap.service.schedule;

import io.gpusnap.service.schedule.core.Goal;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * What changing hands costs a model: the medians of its last thaws, resumes and suspends. Until there is one, what an H100
 * took for a model of 20 GB ({@code docs/benchmarks.md}).
 */
@Component
class SwitchCosts {
    private static final Goal.Costs UNMEASURED = new Goal.Costs(1.21, 1.19, 3.83);

    private final JdbcClient jdbc;

    SwitchCosts(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    Goal.Costs of(String model) {
        return jdbc.sql("""
                        WITH recent AS (
                            SELECT id, engine, pause_seconds FROM snapshot
                             WHERE model_name = :model AND state = 'READY' ORDER BY id DESC LIMIT 50),
                        thawed AS (
                            SELECT recent.engine, r.thaw_seconds FROM recent JOIN restore r ON r.snapshot_id = recent.id
                             WHERE r.thaw_seconds IS NOT NULL ORDER BY r.id DESC LIMIT 50)
                        SELECT (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY thaw_seconds) FROM thawed WHERE engine <> 'suspend') AS thaw,
                               (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY thaw_seconds) FROM thawed WHERE engine = 'suspend') AS resume,
                               (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY pause_seconds) FROM recent WHERE engine = 'suspend') AS suspend
                        """)
                .param("model", model)
                .query((row, number) -> new Goal.Costs(
                        or(row, "suspend", UNMEASURED.suspendSeconds()),
                        or(row, "resume", UNMEASURED.resumeSeconds()),
                        or(row, "thaw", UNMEASURED.thawSeconds())))
                .single();
    }

    private static double or(ResultSet row, String column, double otherwise) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? otherwise : value;
    }
}
