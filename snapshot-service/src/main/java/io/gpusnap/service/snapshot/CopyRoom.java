package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** How much room copies to come need, in plain SQL. It is asked again and again: of each table a few rows are read, by index. */
@Component
class CopyRoom {
    /** How chunks are written may have changed: only the last few copies of a store tell. */
    private static final int COPIES_THAT_TELL = 10;
    /** Less than this share of what was saved no copy is expected to take, whatever those before it did. */
    private static final double LEAST_SHARE = 0.1;
    /** Long enough that what is written for nothing does not matter, and short enough that a store in which it became better is tried. */
    private static final Duration COUNTS_WHOLE = Duration.ofHours(6);

    private final JdbcClient jdbc;

    CopyRoom(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    Map<StoreId, Double> storedShares() {
        Map<StoreId, Double> shares = new HashMap<>();
        // The number is part of the text: a plan that is made for any number would sort.
        jdbc.sql("""
                        SELECT t.id, greatest(:least, sum(told.stored_bytes)::double precision / sum(told.saved_bytes)) AS share
                          FROM store t CROSS JOIN LATERAL (
                               SELECT l.stored_bytes, s.distinct_bytes AS saved_bytes
                                 FROM snapshot_location l JOIN snapshot s ON s.id = l.snapshot_id AND s.distinct_bytes > 0
                                WHERE l.store_id = t.id AND l.state = 'PRESENT' AND l.stored_bytes > 0
                                ORDER BY l.since DESC, l.snapshot_id DESC LIMIT %d) told
                         GROUP BY t.id
                        """.formatted(COPIES_THAT_TELL)).param("least", LEAST_SHARE).query(row -> {
            shares.put(new StoreId(row.getObject("id", UUID.class)), row.getDouble("share"));
        });
        return shares;
    }

    Map<StoreId, Map<SnapshotId, Instant>> wholeUntil() {
        Map<StoreId, Map<SnapshotId, Instant>> whole = new HashMap<>();
        jdbc.sql("""
                        SELECT store_id, snapshot_id, max(finished_at) + make_interval(secs => :time) AS until FROM operation
                         WHERE kind = 'TRANSFER' AND state = 'FAILED' AND (failure ->> 'code') = 'INSUFFICIENT_SPACE'
                           AND finished_at > now() - make_interval(secs => :time)
                         GROUP BY store_id, snapshot_id
                        """).param("time", COUNTS_WHOLE.toSeconds()).query(row -> {
            whole.computeIfAbsent(new StoreId(row.getObject("store_id", UUID.class)), none -> new HashMap<>())
                    .put(
                            new SnapshotId(row.getObject("snapshot_id", UUID.class)),
                            row.getObject("until", OffsetDateTime.class).toInstant());
        });
        return whole;
    }
}
