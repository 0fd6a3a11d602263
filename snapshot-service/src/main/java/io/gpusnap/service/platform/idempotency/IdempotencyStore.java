package io.gpusnap.service.platform.idempotency;

import java.util.Arrays;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** Table {@code idempotency_key}. */
@Component
class IdempotencyStore {
    private final JdbcClient jdbc;
    private final IdempotencySettings settings;

    IdempotencyStore(JdbcClient jdbc, IdempotencySettings settings) {
        this.jdbc = jdbc;
        this.settings = settings;
    }

    /** What taking a key finds. */
    sealed interface Take {}

    /** The key is ours; {@link #answer} or {@link #release} must follow. */
    record Taken() implements Take {}

    record InFlight() implements Take {}

    record OtherRequest() implements Take {}

    record Answered(int status, String location, @Nullable String etag, String body) implements Take {}

    @SuppressWarnings("ArrayRecordComponent") // never compared as a record
    private record Row(
            byte[] fingerprint,
            @Nullable Integer status,
            @Nullable String location,
            @Nullable String etag,
            @Nullable String body) {}

    @Transactional(propagation = Propagation.REQUIRES_NEW)
    Take take(String key, byte[] fingerprint, UUID owner) {
        // One statement decides: a new key, an expired one, or one whose process died is taken, else nothing changes.
        int taken = jdbc.sql("""
                        INSERT INTO idempotency_key AS k (key, fingerprint, owner, in_flight_until, expires_at)
                        VALUES (:key, :fingerprint, :owner, now() + make_interval(secs => :inFlight), now() + make_interval(secs => :retention))
                        ON CONFLICT (key) DO UPDATE
                           SET fingerprint = excluded.fingerprint, owner = excluded.owner,
                               in_flight_until = excluded.in_flight_until, expires_at = excluded.expires_at,
                               status = NULL, location = NULL, etag = NULL, body = NULL
                         WHERE k.expires_at < now()
                            OR (k.status IS NULL AND k.in_flight_until < now() AND k.fingerprint = excluded.fingerprint)
                        """)
                .param("key", key)
                .param("fingerprint", fingerprint)
                .param("owner", owner)
                .param("inFlight", settings.inFlightLimit().toMillis() / 1000.0)
                .param("retention", settings.retention().toMillis() / 1000.0)
                .update();
        if (taken == 1) {
            return new Taken();
        }
        Optional<Row> found = jdbc.sql(
                        "SELECT fingerprint, status, location, etag, body FROM idempotency_key WHERE key = ?")
                .param(key)
                .query((row, number) -> new Row(
                        row.getBytes("fingerprint"),
                        row.getObject("status", Integer.class),
                        row.getString("location"),
                        row.getString("etag"),
                        row.getString("body")))
                .optional();
        if (found.isEmpty()) {
            return new InFlight(); // its refused create gave it back a moment ago
        }
        Row row = found.get();
        if (!Arrays.equals(row.fingerprint(), fingerprint)) {
            return new OtherRequest();
        }
        if (row.status() == null || row.location() == null || row.body() == null) {
            return new InFlight();
        }
        return new Answered(row.status(), row.location(), row.etag(), row.body());
    }

    /** Stores the answer in the caller's transaction. */
    @Transactional(propagation = Propagation.MANDATORY)
    void answer(String key, UUID owner, int status, String location, @Nullable String etag, String body) {
        int changed = jdbc.sql(
                        "UPDATE idempotency_key SET status = :status, location = :location, etag = :etag, body = :body WHERE key = :key AND owner = :owner AND status IS NULL")
                .param("status", status)
                .param("location", location)
                .param("etag", etag)
                .param("body", body)
                .param("key", key)
                .param("owner", owner)
                .update();
        if (changed != 1) {
            throw new IllegalStateException("the idempotency key was taken over: the create ran longer than its limit");
        }
    }

    @Transactional(propagation = Propagation.REQUIRES_NEW)
    void release(String key, UUID owner) {
        jdbc.sql("DELETE FROM idempotency_key WHERE key = ? AND owner = ? AND status IS NULL")
                .param(key)
                .param(owner)
                .update();
    }

    @Scheduled(fixedDelayString = "PT10M", initialDelayString = "PT1M")
    @Transactional
    void forgetExpired() {
        jdbc.sql("DELETE FROM idempotency_key WHERE expires_at < now()").update();
    }
}
