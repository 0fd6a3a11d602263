package io.gpusnap.service.policy;

import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code tier_policy}. */
@Component
class PolicyRepository {
    private final JdbcClient jdbc;
    private final JsonColumns json;

    PolicyRepository(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    /** Until the transaction ends nobody else enables a policy: of two that overlap the later one must see the other. */
    void lock() {
        jdbc.sql("SELECT pg_advisory_xact_lock(hashtextextended('tier policies', 0))")
                .query()
                .listOfRows();
    }

    /** Whether the name was free. */
    boolean insert(String name, TierPolicySpec spec) {
        return jdbc.sql("""
                        INSERT INTO tier_policy (name, spec, evaluated_at, version, created_at, updated_at)
                        VALUES (:name, :spec::jsonb, 'epoch', 0, now(), now()) ON CONFLICT DO NOTHING
                        """).param("name", name).param("spec", json.write(spec)).update() == 1;
    }

    /** Whether the row was still the one that was read. */
    boolean update(TierPolicy seen, TierPolicySpec spec) {
        return jdbc.sql("""
                        UPDATE tier_policy SET spec = :spec::jsonb, version = version + 1, updated_at = now()
                         WHERE name = :name AND version = :seen
                        """)
                        .param("spec", json.write(spec))
                        .param("name", seen.name())
                        .param("seen", seen.rowVersion())
                        .update()
                == 1;
    }

    /** Whether the row was still the one that was read. */
    boolean delete(TierPolicy seen) {
        return jdbc.sql("DELETE FROM tier_policy WHERE name = ? AND version = ?")
                        .param(seen.name())
                        .param(seen.rowVersion())
                        .update()
                == 1;
    }

    Optional<TierPolicy> find(String name) {
        return jdbc.sql("SELECT * FROM tier_policy WHERE name = ?")
                .param(name)
                .query(this::map)
                .optional();
    }

    List<TierPolicy> list(PageQuery query) {
        return jdbc.sql("SELECT * FROM tier_policy WHERE name > :after ORDER BY name LIMIT :limit")
                .param("after", query.after().orElse(""))
                .param("limit", query.size() + 1)
                .query(this::map)
                .list();
    }

    List<TierPolicy> all() {
        return jdbc.sql("SELECT * FROM tier_policy ORDER BY name")
                .query(this::map)
                .list();
    }

    /** Takes an enabled policy that is due; of several replicas one gets it. */
    Optional<TierPolicy> takeDue(Duration interval) {
        return jdbc.sql("""
                        UPDATE tier_policy SET evaluated_at = now()
                         WHERE name = (SELECT name FROM tier_policy
                                        WHERE (spec ->> 'enabled')::boolean
                                          AND evaluated_at < now() - make_interval(secs => :interval)
                                        ORDER BY evaluated_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                        RETURNING *
                        """)
                .param("interval", interval.toMillis() / 1000.0)
                .query(this::map)
                .optional();
    }

    private TierPolicy map(ResultSet row, int number) throws SQLException {
        return new TierPolicy(
                row.getString("name"),
                json.read(row.getString("spec"), TierPolicySpec.class),
                instant(row, "evaluated_at"),
                row.getLong("version"),
                instant(row, "created_at"),
                instant(row, "updated_at"));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
