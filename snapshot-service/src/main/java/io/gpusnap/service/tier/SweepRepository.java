package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.StoreId;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** When which store is swept next, and how far its listing has come. */
@Component
class SweepRepository {
    /** The order in which sweeps list names. */
    static final Comparator<String> BY_BYTES = (one, other) ->
            Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));

    private static final int MOST_AT_ONCE = 20;

    private final JdbcClient jdbc;

    SweepRepository(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    record Due(StoreId store, @Nullable String listAfter) {}

    /** Takes shared stores that are due and have no sweep on its way; of several replicas one gets each. */
    List<Due> takeDue(Duration interval) {
        return jdbc.sql("""
                        UPDATE store SET sweep_due_at = now() + make_interval(secs => :interval)
                         WHERE id IN (SELECT s.id FROM store s
                                       WHERE s.node_id IS NULL AND s.sweep_due_at <= now()
                                         AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.store_id = s.id AND o.kind = 'SWEEP'
                                                            AND o.state IN ('PENDING', 'RUNNING'))
                                       ORDER BY s.sweep_due_at LIMIT :limit FOR UPDATE SKIP LOCKED)
                        RETURNING id, list_after
                        """)
                .param("interval", interval.toMillis() / 1000.0)
                .param("limit", MOST_AT_ONCE)
                .query((row, number) ->
                        new Due(new StoreId(row.getObject("id", UUID.class)), row.getString("list_after")))
                .list();
    }

    /** A listing has come to this name, or to its end; one that has not goes on at once. */
    void listed(StoreId store, @Nullable String upTo) {
        jdbc.sql("""
                        UPDATE store SET list_after = :upTo::text,
                               sweep_due_at = CASE WHEN :upTo::text IS NULL THEN sweep_due_at ELSE now() END
                         WHERE id = :store
                        """).param("upTo", upTo).param("store", store.value()).update();
    }

    UUID serviceId() {
        return jdbc.sql("SELECT id FROM service_identity").query(UUID.class).single();
    }
}
