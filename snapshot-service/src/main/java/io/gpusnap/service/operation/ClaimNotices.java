package io.gpusnap.service.operation;

import io.gpusnap.service.platform.id.NodeId;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/**
 * Tells every instance of work that one of them has queued, by LISTEN and NOTIFY of the database. It only saves time: while
 * the listening connection is lost, a waiting claim's own next look finds the work
 * ({@code docs/decisions/0103-claims-hear-of-work.md}).
 */
@Component
class ClaimNotices {
    static final String CHANNEL = "gpusnap_operation_queued";
    private static final Logger LOG = LoggerFactory.getLogger(ClaimNotices.class);
    private static final int LOOK_UP_MILLIS = 500;
    private static final int AGAIN_MILLIS = 1000;

    private final DataSource dataSource;
    private final JdbcClient jdbc;
    private final ClaimSignals signals;
    private volatile @Nullable Thread listener;
    private volatile boolean stopping;

    ClaimNotices(DataSource dataSource, JdbcClient jdbc, ClaimSignals signals) {
        this.dataSource = dataSource;
        this.jdbc = jdbc;
        this.signals = signals;
    }

    /** Every instance hears it when the caller's transaction commits, and none if it does not. */
    void queued(NodeId node) {
        jdbc.sql("SELECT pg_notify(?, ?)")
                .params(CHANNEL, node.toString())
                .query((row, number) -> true)
                .single();
    }

    @EventListener(ApplicationReadyEvent.class)
    void start() {
        listener = Thread.ofVirtual().name("claim-notices").start(this::listen);
    }

    /** Waits until the connection is given back, so that the pool is not closed under it. */
    @EventListener(ContextClosedEvent.class)
    void stop() throws InterruptedException {
        stopping = true;
        Thread running = listener;
        if (running != null) {
            running.join(Duration.ofSeconds(3));
        }
    }

    private void listen() {
        while (!stopping) {
            try (Connection connection = dataSource.getConnection()) {
                hear(connection);
            } catch (SQLException e) {
                LOG.info("not listening for queued operations, trying again: {}", e.getMessage());
                pause();
            }
        }
    }

    private void hear(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("LISTEN " + CHANNEL);
            try {
                // What was queued before nobody was told of.
                signals.signalAll();
                PGConnection postgres = connection.unwrap(PGConnection.class);
                while (!stopping) {
                    PGNotification[] notices = postgres.getNotifications(LOOK_UP_MILLIS);
                    for (PGNotification notice : notices == null ? new PGNotification[0] : notices) {
                        signals.signal(NodeId.of(notice.getParameter()));
                    }
                }
            } finally {
                // It goes back to the pool, unless it is broken.
                if (!connection.isClosed()) {
                    statement.execute("UNLISTEN *");
                }
            }
        }
    }

    private static void pause() {
        try {
            Thread.sleep(AGAIN_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
