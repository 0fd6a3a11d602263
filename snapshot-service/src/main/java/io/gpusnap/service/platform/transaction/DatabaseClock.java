package io.gpusnap.service.platform.transaction;

import java.time.Instant;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * The only clock that decides anything. Leases, graces and creation times are compared across replicas and daemons whose
 * own clocks may be wrong; the database's is one.
 */
@Component
public class DatabaseClock {
    private final JdbcClient jdbc;

    DatabaseClock(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** The start of the current transaction; microseconds. */
    public Instant now() {
        return jdbc.sql("SELECT now()")
                .query((row, number) ->
                        row.getObject(1, java.time.OffsetDateTime.class).toInstant())
                .single();
    }
}
