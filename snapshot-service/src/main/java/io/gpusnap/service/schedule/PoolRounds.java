package io.gpusnap.service.schedule;

import io.gpusnap.service.schedule.core.PoolState;
import java.sql.Types;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Who decides on a pool when: one statement takes a round, and its epoch guards what the round does. */
@Component
class PoolRounds {
    private final JdbcClient jdbc;

    PoolRounds(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A pool that is this instance's to decide on until somebody takes the next round. */
    record Round(String pool, long epoch) {}

    /** Takes the pool that has been due for longest; empty when none is. */
    Optional<Round> take(Duration interval) {
        return jdbc.sql("""
                        UPDATE pool SET epoch = epoch + 1, next_run_at = now() + make_interval(secs => :interval)
                         WHERE name = (SELECT name FROM pool WHERE next_run_at <= now()
                                        ORDER BY next_run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
                        RETURNING name, epoch
                        """)
                .param("interval", interval.toMillis() / 1000.0)
                .query((row, number) -> new Round(row.getString("name"), row.getLong("epoch")))
                .optional();
    }

    /** Holds the round against the next one until the caller's transaction ends; false if that one has begun. */
    boolean hold(Round round) {
        return jdbc.sql("SELECT 1 FROM pool WHERE name = ? AND epoch = ? FOR SHARE")
                .params(round.pool(), round.epoch())
                .query(Integer.class)
                .optional()
                .isPresent();
    }

    /** Keeps what the next round has to know. */
    void remember(String pool, Map<String, PoolState.Memory> memory) {
        memory.forEach((model, one) -> jdbc.sql("""
                        UPDATE pool_model SET waiting_since = to_timestamp(:waiting), surplus_since = to_timestamp(:surplus)
                         WHERE pool_name = :pool AND model_name = :model
                        """)
                .param("waiting", seconds(one.waitingSince()), Types.DOUBLE)
                .param("surplus", seconds(one.surplusSince()), Types.DOUBLE)
                .param("pool", pool)
                .param("model", model)
                .update());
    }

    private static @Nullable Double seconds(double value) {
        return Double.isNaN(value) ? null : value;
    }
}
