package io.gpusnap.service.schedule;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.restore.ThawPlaces;
import io.gpusnap.service.schedule.core.Goal;
import io.gpusnap.service.schedule.core.PoolState;
import io.gpusnap.service.schedule.core.Replica;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Isolation;
import org.springframework.transaction.annotation.Transactional;

/** Reads a pool as the scheduler sees it, in plain SQL; seconds are of the database's clock. */
@Component
class PoolStates {
    /**
     * What a process is to the scheduler. One whose model is not in the pool, or not known, and one whose node is not heard
     * is not the scheduler's to move; one that leaves for another is not there any more, since the other one holds the slot.
     */
    private static final String REPLICAS = """
            SELECT w.id, w.node_id, m.model_name,
                   CASE WHEN m.model_name IS NULL OR w.state = 'UNKNOWN' THEN 'FIXED'
                        WHEN leaving.replaces THEN 'REPLACED'
                        WHEN leaving.replaces = false THEN 'LEAVING'
                        WHEN w.state = 'SUSPENDED' AND busy.kind IN ('THAW', 'SWITCH') THEN 'STARTING'
                        WHEN w.state = 'SUSPENDED' THEN 'SUSPENDED'
                        WHEN busy.kind IS NOT NULL THEN 'FIXED'
                        ELSE 'RUNNING' END AS state,
                   extract(epoch FROM coalesce(back.at, w.first_seen_at)) AS since
              FROM pool_node pn
              JOIN workload w ON w.node_id = pn.node_id AND w.state NOT IN ('GONE', 'LOST')
              LEFT JOIN LATERAL (
                   SELECT s.model_name FROM snapshot s
                    WHERE s.workload_id = w.id OR s.id IN (SELECT r.snapshot_id FROM restore r WHERE r.workload_id = w.id)
                    ORDER BY s.id DESC LIMIT 1) latest ON true
              LEFT JOIN pool_model m ON m.pool_name = pn.pool_name AND m.model_name = latest.model_name
              LEFT JOIN LATERAL (
                   SELECT o.kind FROM operation o
                    WHERE o.workload_id = w.id AND o.state IN ('PENDING', 'RUNNING') LIMIT 1) busy ON true
              LEFT JOIN LATERAL (
                   SELECT d.replaces FROM pool_decision d
                     JOIN operation o ON o.id = (d.operation_ids ->> 0)::uuid AND o.state IN ('PENDING', 'RUNNING')
                    WHERE d.leaves_workload_id = w.id ORDER BY d.id DESC LIMIT 1) leaving ON true
              LEFT JOIN LATERAL (
                   SELECT max(o.finished_at) AS at FROM restore r JOIN operation o ON o.restore_id = r.id
                    WHERE r.workload_id = w.id AND o.state = 'SUCCEEDED') back ON true
             WHERE pn.pool_name = :pool
             ORDER BY w.id
            """;

    private static final String ON_THEIR_WAY = """
            SELECT o.id, o.node_id, s.model_name, extract(epoch FROM o.created_at) AS since
              FROM pool_node pn
              JOIN operation o ON o.node_id = pn.node_id AND o.state IN ('PENDING', 'RUNNING')
                   AND o.kind = 'THAW' AND o.workload_id IS NULL
              JOIN snapshot s ON s.id = o.snapshot_id
             WHERE pn.pool_name = :pool ORDER BY o.id
            """;

    private final JdbcClient jdbc;
    private final SwitchCosts costs;
    private final ThawPlaces places;

    PoolStates(JdbcClient jdbc, SwitchCosts costs, ThawPlaces places) {
        this.jdbc = jdbc;
        this.costs = costs;
        this.places = places;
    }

    /** All as of one moment: a thaw that ends between two statements would be neither on its way nor a process, and be started twice. */
    @Transactional(readOnly = true, isolation = Isolation.REPEATABLE_READ)
    PoolState read(Pool pool) {
        List<Replica> replicas =
                new ArrayList<>(jdbc.sql(REPLICAS).param("pool", pool.name()).query(PoolStates::replica).list().stream()
                        .filter(row -> row.state() != null)
                        .map(Row::replica)
                        .toList());
        replicas.addAll(jdbc.sql(ON_THEIR_WAY)
                .param("pool", pool.name())
                .query((row, number) -> new Replica(
                        new WorkloadId(row.getObject("id", UUID.class)),
                        row.getString("model_name"),
                        new NodeId(row.getObject("node_id", UUID.class)),
                        Replica.State.STARTING,
                        row.getDouble("since")))
                .list());
        double now =
                jdbc.sql("SELECT extract(epoch FROM now())").query(Double.class).single();
        Map<String, PoolState.Memory> memory = new HashMap<>();
        return new PoolState(
                now,
                slots(pool.name()),
                List.copyOf(replicas),
                goals(pool.name(), memory),
                Map.copyOf(memory),
                able(pool, replicas));
    }

    /** Of the models that have too few replicas. */
    private Map<String, Set<NodeId>> able(Pool pool, List<Replica> replicas) {
        return pool.models().stream()
                .filter(member -> replicas.stream()
                                .filter(one -> one.model().equals(member.model())
                                        && one.state().counts())
                                .count()
                        < member.desiredReplicas())
                .collect(Collectors.toMap(
                        Pool.Member::model, member -> places.of(member.model(), member.versionName(), pool.nodes())));
    }

    private record Row(Replica replica, Replica.@Nullable State state) {}

    private static Row replica(ResultSet row, int number) throws SQLException {
        String state = row.getString("state");
        Replica.State known = state.equals("REPLACED") ? null : Replica.State.valueOf(state);
        String model = row.getString("model_name");
        return new Row(
                new Replica(
                        new WorkloadId(row.getObject("id", UUID.class)),
                        model == null ? "" : model,
                        new NodeId(row.getObject("node_id", UUID.class)),
                        known == null ? Replica.State.FIXED : known,
                        row.getDouble("since")),
                known);
    }

    /** A GPU is a slot; a node that is not heard, or cordoned, has none. */
    private Map<NodeId, Integer> slots(String pool) {
        Map<NodeId, Integer> slots = new LinkedHashMap<>();
        jdbc.sql("""
                        SELECT n.id, CASE WHEN n.state = 'ONLINE' AND n.schedulable THEN jsonb_array_length(n.inventory -> 'gpus') ELSE 0 END AS slots
                          FROM pool_node pn JOIN node n ON n.id = pn.node_id WHERE pn.pool_name = ? ORDER BY n.id
                        """)
                .param(pool)
                .query((row, number) -> Map.entry(new NodeId(row.getObject("id", UUID.class)), row.getInt("slots")))
                .list()
                .forEach(node -> slots.put(node.getKey(), node.getValue()));
        return slots;
    }

    private List<Goal> goals(String pool, Map<String, PoolState.Memory> memory) {
        return jdbc.sql("""
                        SELECT *, extract(epoch FROM waiting_since) AS waiting, extract(epoch FROM surplus_since) AS surplus
                          FROM pool_model WHERE pool_name = ? ORDER BY model_name
                        """)
                .param(pool)
                .query((row, number) -> {
                    String model = row.getString("model_name");
                    memory.put(model, new PoolState.Memory(orNone(row, "waiting"), orNone(row, "surplus")));
                    return new Goal(
                            model,
                            row.getInt("desired"),
                            row.getInt("priority"),
                            row.getInt("keep_alive_seconds"),
                            row.getInt("min_residency_seconds"),
                            costs.of(model));
                })
                .list();
    }

    private static double orNone(ResultSet row, String column) throws SQLException {
        double value = row.getDouble(column);
        return row.wasNull() ? Double.NaN : value;
    }
}
