package io.gpusnap.service.prefetch;

import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.node.Inventory;
import java.time.Duration;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Tables {@code prefetched} and {@code prefetch_round}, in plain SQL. All time is the database's. */
@Component
class PrefetchLog {
    private final JdbcClient jdbc;

    PrefetchLog(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** How the account of a copy ends. */
    enum Outcome {
        /** A replica came back from it. */
        USED,
        /** It went, or its time did, before one had. */
        WASTED,
        /** It never arrived. */
        FAILED
    }

    /**
     * A copy whose account has ended.
     *
     * @param tier that it was brought to
     * @param leadSeconds from its arrival to the first use; 0 unless it was used
     */
    record Ended(Inventory.TierKind tier, Outcome outcome, long bytes, double leadSeconds) {}

    /**
     * Thaws that have ended, by where on their nodes the snapshot was.
     *
     * @param inStore in the node's own store and not in its memory
     * @param cold in neither
     */
    record Thaws(long inMemory, long inStore, long cold) {}

    /** Whether the round is this instance's; the next one is due after the interval. */
    boolean takeRound(Duration interval) {
        return jdbc.sql("""
                        UPDATE prefetch_round SET due_at = now() + make_interval(secs => ?) WHERE due_at <= now()
                        """).param(interval.toMillis() / 1000.0).update() == 1;
    }

    /** The next round is due now, whoever takes it. */
    void makeDue() {
        jdbc.sql("UPDATE prefetch_round SET due_at = now() WHERE due_at > now()")
                .update();
    }

    void moved(Plan.Move move, Inventory.TierKind tier) {
        jdbc.sql("""
                        INSERT INTO prefetched (model_name, snapshot_id, node_id, tier, bytes, probability, expected_at, asked_at)
                        VALUES (:model, :snapshot, :node, :tier, :bytes, :probability, :expected, now())
                        """)
                .param("model", move.model())
                .param("snapshot", move.snapshot().value())
                .param("node", move.node().value())
                .param("tier", tier.name())
                .param("bytes", move.bytes())
                .param("probability", move.probability())
                .param("expected", move.expectedAt().atOffset(ZoneOffset.UTC))
                .update();
    }

    /** Notes what became of copies since; in the caller's transaction, one instance at a time. */
    List<Ended> settle(Duration wastedAfter) {
        jdbc.sql("SELECT looked_until FROM prefetch_round FOR UPDATE")
                .query((row, number) -> 0)
                .single();
        jdbc.sql("""
                        UPDATE prefetched p SET arrived_at = l.since
                          FROM store own JOIN snapshot_location l ON l.store_id = own.id AND l.state = 'PRESENT'
                         WHERE p.outcome IS NULL AND p.arrived_at IS NULL AND own.node_id = p.node_id AND own.kind = p.tier
                           AND l.snapshot_id = p.snapshot_id
                        """).update();
        List<Ended> ended = new ArrayList<>(end("""
                        UPDATE prefetched p SET outcome = 'USED', used_at = r.first, ended_at = now()
                          FROM (SELECT q.id, min(r.created_at) AS first FROM prefetched q
                                  JOIN restore r ON r.snapshot_id = q.snapshot_id AND r.node_id = q.node_id
                                       AND r.thaw_seconds IS NOT NULL AND r.created_at >= q.arrived_at
                                 WHERE q.outcome IS NULL GROUP BY q.id) r
                         WHERE p.id = r.id
                        RETURNING p.tier, p.outcome, p.bytes, extract(epoch FROM p.used_at - p.arrived_at) AS lead
                        """, wastedAfter));
        ended.addAll(end("""
                        UPDATE prefetched p SET outcome = CASE WHEN p.arrived_at IS NULL THEN 'FAILED' ELSE 'WASTED' END, ended_at = now()
                         WHERE p.outcome IS NULL
                           AND (NOT EXISTS (SELECT 1 FROM store own JOIN snapshot_location l ON l.store_id = own.id
                                             WHERE own.node_id = p.node_id AND own.kind = p.tier AND l.snapshot_id = p.snapshot_id
                                               AND l.state IN ('COPYING', 'PRESENT'))
                                OR p.expected_at < now() - make_interval(secs => :wasted))
                        RETURNING p.tier, p.outcome, p.bytes, 0 AS lead
                        """, wastedAfter));
        return ended;
    }

    private List<Ended> end(String update, Duration wastedAfter) {
        return jdbc.sql(update)
                .param("wasted", wastedAfter.toSeconds())
                .query((row, number) -> new Ended(
                        Inventory.TierKind.valueOf(row.getString("tier")),
                        Outcome.valueOf(row.getString("outcome")),
                        row.getLong("bytes"),
                        row.getDouble("lead")))
                .list();
    }

    /** Those that ended since the last look, by where on their nodes the snapshot was when they were asked for. */
    Thaws thaws() {
        // Of kinds of a node's own, MEMORY comes first in the alphabet as well.
        return jdbc.sql("""
                        WITH look AS (
                            UPDATE prefetch_round n SET looked_until = now()
                              FROM (SELECT looked_until FROM prefetch_round FOR UPDATE) o
                            RETURNING o.looked_until AS since, n.looked_until AS until)
                        SELECT count(*) FILTER (WHERE hot = 'MEMORY') AS memory, count(*) FILTER (WHERE hot = 'NVME') AS own,
                               count(*) FILTER (WHERE hot IS NULL) AS cold FROM (
                            SELECT (SELECT min(own.kind) FROM store own JOIN snapshot_location l ON l.store_id = own.id
                                     WHERE own.node_id = r.node_id AND l.snapshot_id = r.snapshot_id
                                       AND l.state = 'PRESENT' AND l.since <= r.created_at) AS hot
                              FROM look JOIN restore r ON r.ended_at > look.since AND r.ended_at <= look.until
                              JOIN snapshot s ON s.id = r.snapshot_id AND s.engine = 'criu+cuda'
                             WHERE r.thaw_seconds IS NOT NULL) ended
                        """)
                .query((row, number) -> new Thaws(row.getLong("memory"), row.getLong("own"), row.getLong("cold")))
                .single();
    }

    int forget(Duration retention) {
        return jdbc.sql("DELETE FROM prefetched WHERE ended_at < now() - make_interval(secs => ?)")
                .param(retention.toSeconds())
                .update();
    }
}
