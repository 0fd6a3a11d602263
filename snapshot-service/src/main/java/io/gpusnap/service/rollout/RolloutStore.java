package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.HistoryId;
import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.platform.id.VersionId;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** What belongs to rollouts besides their rows, in plain SQL: whose turn it is, and their histories. */
@Component
class RolloutStore {
    private final JdbcClient jdbc;

    RolloutStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A rollout that is this instance's to move on until somebody takes the next turn. */
    record Turn(RolloutId rollout, long epoch) {}

    /**
     * Takes one rollout that has something to do, for the lease: another replica takes it again only after that. One
     * statement, on database time.
     */
    Optional<Turn> claimDue(Duration lease) {
        return jdbc.sql("""
                        UPDATE rollout SET epoch = epoch + 1, next_check_at = now() + make_interval(secs => :lease)
                         WHERE id = (SELECT id FROM rollout
                                      WHERE next_check_at <= now() AND phase IN ('PROGRESSING', 'PAUSED')
                                      ORDER BY next_check_at LIMIT 1
                                        FOR UPDATE SKIP LOCKED)
                        RETURNING id, epoch
                        """)
                .param("lease", lease.toMillis() / 1000.0)
                .query((row, number) -> new Turn(new RolloutId(row.getObject("id", UUID.class)), row.getLong("epoch")))
                .optional();
    }

    /** Whether nobody took the next turn; who asks holds the rollout, so that nobody does before the end of his transaction. */
    boolean isLatest(Turn turn) {
        return jdbc.sql("SELECT epoch FROM rollout WHERE id = ?")
                        .param(turn.rollout().value())
                        .query(Long.class)
                        .single()
                == turn.epoch();
    }

    /** When the rollout has something to do next; none while only somebody from outside can move it. */
    void schedule(Rollout rollout) {
        jdbc.sql("UPDATE rollout SET next_check_at = :at WHERE id = :id")
                .param(
                        "at",
                        rollout.nextCheckAt()
                                .map(at -> at.atOffset(ZoneOffset.UTC))
                                .orElse(null),
                        Types.TIMESTAMP_WITH_TIMEZONE)
                .param("id", rollout.id().value())
                .update();
    }

    /** An alias of a model. */
    record AliasName(String model, String alias) {}

    Optional<AliasName> aliasOf(RolloutId rollout) {
        return jdbc.sql("SELECT model_name, alias FROM rollout WHERE id = ?")
                .param(rollout.value())
                .query((row, number) -> new AliasName(row.getString("model_name"), row.getString("alias")))
                .optional();
    }

    /** The rollout of the alias that is on its way. */
    Optional<RolloutId> activeOf(String model, String alias) {
        return jdbc.sql("""
                        SELECT id FROM rollout
                         WHERE model_name = :model AND alias = :alias AND phase IN ('PROGRESSING', 'PAUSED')
                        """)
                .param("model", model)
                .param("alias", alias)
                .query((row, number) -> new RolloutId(row.getObject("id", UUID.class)))
                .optional();
    }

    void record(Rollout rollout, Happening happening, String who) {
        jdbc.sql("""
                        INSERT INTO rollout_event (id, rollout_id, type, step, message, who, at)
                        VALUES (:id, :rollout, :type, :step, :message, :who, now())
                        """)
                .param("id", HistoryId.next().value())
                .param("rollout", rollout.id().value())
                .param("type", happening.type().name())
                .param("step", happening.step())
                .param("message", happening.message())
                .param("who", who)
                .update();
    }

    /** Newest first. */
    List<RolloutEvent> events(RolloutId rollout, PageQuery query) {
        return jdbc.sql("""
                        SELECT id, type, step, message, who, at FROM rollout_event
                         WHERE rollout_id = :rollout AND (:after::uuid IS NULL OR id < :after::uuid)
                         ORDER BY id DESC LIMIT :limit
                        """)
                .param("rollout", rollout.value())
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(RolloutStore::event)
                .list();
    }

    /** Rollouts on their way that need the version. */
    long activeWith(VersionId version) {
        return jdbc.sql("""
                        SELECT count(*) FROM rollout
                         WHERE (stable_version_id = :version OR canary_version_id = :version)
                           AND phase IN ('PROGRESSING', 'PAUSED')
                        """).param("version", version.value()).query(Long.class).single();
    }

    Map<RolloutPhase, Long> countByPhase() {
        return jdbc
                .sql("SELECT phase, count(*) AS n FROM rollout GROUP BY phase")
                .query((row, number) -> Map.entry(RolloutPhase.valueOf(row.getString("phase")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** The mean of those on their way, from 0 to 1; a phase that none is in is missing. */
    Map<RolloutPhase, Double> weightByPhase() {
        return jdbc
                .sql("""
                        SELECT phase, avg(weight) / 100 AS weight FROM rollout WHERE phase IN ('PROGRESSING', 'PAUSED') GROUP BY phase
                        """)
                .query((row, number) ->
                        Map.entry(RolloutPhase.valueOf(row.getString("phase")), row.getDouble("weight")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static RolloutEvent event(ResultSet row, int number) throws SQLException {
        return new RolloutEvent(
                new HistoryId(row.getObject("id", UUID.class)),
                RolloutEvent.Type.valueOf(row.getString("type")),
                row.getInt("step"),
                row.getString("message"),
                row.getString("who"),
                row.getObject("at", OffsetDateTime.class).toInstant());
    }
}
