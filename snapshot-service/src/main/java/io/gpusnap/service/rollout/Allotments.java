package io.gpusnap.service.rollout;

import io.gpusnap.service.platform.id.RolloutId;
import io.gpusnap.service.restore.RolloutChoice;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * Says which version each restore of an alias gets. The counts are one row that is held until the restore is committed: so
 * they are exact, whichever replicas of the service ask at the same time, and a restore that comes to nothing is not counted.
 */
@Component
class Allotments implements RolloutChoice {
    private final JdbcClient jdbc;
    private final RolloutStore rollouts;
    private final RolloutMetrics metrics;

    Allotments(JdbcClient jdbc, RolloutStore rollouts, RolloutMetrics metrics) {
        this.jdbc = jdbc;
        this.rollouts = rollouts;
        this.metrics = metrics;
    }

    private record Active(
            UUID id,
            String stable,
            String canary,
            int weight,
            @Nullable CanaryScale scale,
            long epoch) {}

    /** What a replica got before. */
    private record Before(boolean canary, long epoch) {}

    @Override
    @Transactional(propagation = Propagation.MANDATORY)
    public Optional<Chosen> choose(String model, String alias, @Nullable String replicaKey, boolean dryRun) {
        Optional<UUID> rollout = rollouts.activeOf(model, alias).map(RolloutId::value);
        if (rollout.isEmpty()) {
            return Optional.empty();
        }
        // Held first, read then: who changes the shares holds this row, too.
        Shares held = shares(rollout.get(), dryRun);
        return active(rollout.get()).map(active -> choose(active, held, replicaKey, dryRun));
    }

    private Chosen choose(Active active, Shares shares, @Nullable String replicaKey, boolean dryRun) {
        Optional<Before> before = replicaKey == null ? Optional.empty() : before(active.id(), replicaKey);
        boolean counted = before.filter(last -> last.epoch() == active.epoch()).isPresent();
        boolean canary = counted
                ? before.orElseThrow().canary()
                : keeps(active, before) || shares.next(active.weight(), active.scale());
        if (!dryRun && !counted) {
            count(active, shares.counted(canary), canary, replicaKey);
        }
        return new Chosen(
                canary ? active.canary() : active.stable(),
                new RolloutId(active.id()),
                reason(active, shares, canary, counted));
    }

    /**
     * Who has the new version keeps it, and the others make room for him in the count: as long as not more have it than may, as
     * is so after a share became smaller.
     */
    private boolean keeps(Active active, Optional<Before> before) {
        return before.map(Before::canary).orElse(false) && known(active.id()).fit(active.weight(), active.scale());
    }

    /** Of the replicas that have a name: how many there are, and how many of them have the new version. */
    private Shares known(UUID rollout) {
        return jdbc.sql(
                        "SELECT count(*) AS total, count(*) FILTER (WHERE canary) AS canary FROM rollout_replica WHERE rollout_id = ?")
                .param(rollout)
                .query((row, number) -> new Shares(row.getLong("total"), row.getLong("canary")))
                .single();
    }

    private static String reason(Active active, Shares shares, boolean canary, boolean counted) {
        String version = canary ? active.canary() : active.stable();
        return counted
                ? "A rollout gave this replica " + version + " before."
                : "A rollout gives " + active.weight() + " of 100 replicas " + active.canary() + ", so far "
                        + shares.canary() + " of " + shares.total() + "; this one gets " + version + ".";
    }

    private Optional<Active> active(UUID id) {
        return jdbc.sql("""
                        SELECT id, stable_version, canary_version, weight, canary_scale ->> 'replicas' AS replicas,
                               canary_scale ->> 'weight' AS scale_weight, share_epoch
                          FROM rollout WHERE id = :id AND phase IN ('PROGRESSING', 'PAUSED')
                        """).param("id", id).query(Allotments::active).optional();
    }

    private static Active active(ResultSet row, int number) throws SQLException {
        String replicas = row.getString("replicas");
        String weight = row.getString("scale_weight");
        return new Active(
                row.getObject("id", UUID.class),
                row.getString("stable_version"),
                row.getString("canary_version"),
                row.getInt("weight"),
                replicas == null && weight == null
                        ? null
                        : new CanaryScale(
                                replicas == null ? null : Integer.valueOf(replicas),
                                weight == null ? null : Integer.valueOf(weight)),
                row.getLong("share_epoch"));
    }

    private Shares shares(UUID rollout, boolean dryRun) {
        return jdbc.sql("SELECT total, canary FROM rollout_share WHERE rollout_id = ?" + (dryRun ? "" : " FOR UPDATE"))
                .param(rollout)
                .query((row, number) -> new Shares(row.getLong("total"), row.getLong("canary")))
                .single();
    }

    /** What was counted since the shares last changed. */
    Shares counted(RolloutId rollout) {
        return shares(rollout.value(), true);
    }

    private Optional<Before> before(UUID rollout, String replicaKey) {
        return jdbc.sql("SELECT canary, share_epoch FROM rollout_replica WHERE rollout_id = ? AND replica_key = ?")
                .param(rollout)
                .param(replicaKey)
                .query((row, number) -> new Before(row.getBoolean("canary"), row.getLong("share_epoch")))
                .optional();
    }

    private void count(Active active, Shares now, boolean canary, @Nullable String replicaKey) {
        jdbc.sql("UPDATE rollout_share SET total = :total, canary = :canary WHERE rollout_id = :rollout")
                .param("total", now.total())
                .param("canary", now.canary())
                .param("rollout", active.id())
                .update();
        if (replicaKey != null) {
            jdbc.sql("""
                            INSERT INTO rollout_replica (rollout_id, replica_key, canary, share_epoch)
                            VALUES (:rollout, :key, :canary, :epoch)
                            ON CONFLICT (rollout_id, replica_key) DO UPDATE
                               SET canary = excluded.canary, share_epoch = excluded.share_epoch
                            """)
                    .param("rollout", active.id())
                    .param("key", replicaKey)
                    .param("canary", canary)
                    .param("epoch", active.epoch())
                    .update();
        }
        metrics.allotted(canary);
    }

    /** Counting begins with nothing. */
    void open(RolloutId rollout) {
        jdbc.sql("INSERT INTO rollout_share (rollout_id, total, canary) VALUES (?, 0, 0)")
                .param(rollout.value())
                .update();
    }

    /** Holds the counts for a change of the shares, and tells them. */
    Shares hold(RolloutId rollout) {
        return shares(rollout.value(), false);
    }

    /** The shares changed: counting begins anew. */
    void restart(RolloutId rollout) {
        jdbc.sql("UPDATE rollout_share SET total = 0, canary = 0 WHERE rollout_id = ?")
                .param(rollout.value())
                .update();
    }

    /** Nobody asks any more who got what. */
    void close(RolloutId rollout) {
        jdbc.sql("DELETE FROM rollout_replica WHERE rollout_id = ?")
                .param(rollout.value())
                .update();
    }
}
