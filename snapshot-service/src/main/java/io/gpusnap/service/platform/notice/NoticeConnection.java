package io.gpusnap.service.platform.notice;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.event.ContextClosedEvent;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

/** The one connection of this instance that listens, for all channels. */
@Component
class NoticeConnection {
    private static final Logger LOG = LoggerFactory.getLogger(NoticeConnection.class);
    private static final int LOOK_UP_MILLIS = 500;
    private static final int AGAIN_MILLIS = 1000;

    private final DataSource dataSource;
    private final Map<String, NoticeListener> listeners;
    private volatile @Nullable Thread thread;
    private volatile boolean stopping;

    NoticeConnection(DataSource dataSource, List<NoticeListener> listeners) {
        this.dataSource = dataSource;
        this.listeners = listeners.stream().collect(Collectors.toMap(NoticeListener::channel, Function.identity()));
    }

    @EventListener(ApplicationReadyEvent.class)
    void start() {
        thread = Thread.ofVirtual().name("notices").start(this::listen);
    }

    /** Waits until the connection is given back, so that the pool is not closed under it. */
    @EventListener(ContextClosedEvent.class)
    void stop() throws InterruptedException {
        stopping = true;
        Thread running = thread;
        if (running != null) {
            running.join(Duration.ofSeconds(3));
        }
    }

    private void listen() {
        while (!stopping) {
            try (Connection connection = dataSource.getConnection()) {
                hear(connection);
            } catch (SQLException e) {
                LOG.info("not listening for notices of other instances, trying again: {}", e.getMessage());
                pause();
            }
        }
    }

    private void hear(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String channel : listeners.keySet()) {
                statement.execute("LISTEN " + channel);
            }
            try {
                listeners.values().forEach(NoticeListener::listening);
                PGConnection postgres = connection.unwrap(PGConnection.class);
                while (!stopping) {
                    PGNotification[] notices = postgres.getNotifications(LOOK_UP_MILLIS);
                    for (PGNotification notice : notices == null ? new PGNotification[0] : notices) {
                        tell(notice);
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

    private void tell(PGNotification notice) {
        NoticeListener listener = listeners.get(notice.getName());
        if (listener == null) {
            return;
        }
        try {
            listener.heard(notice.getParameter());
        } catch (RuntimeException e) {
            // Anybody who may write to the database may send anything; the others still want to hear.
            LOG.warn("a notice on {} was not understood: {}", notice.getName(), e.toString());
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
