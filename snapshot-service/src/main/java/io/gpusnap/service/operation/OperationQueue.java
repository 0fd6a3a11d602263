package io.gpusnap.service.operation;

import io.gpusnap.service.node.HeldOperation;
import io.gpusnap.service.node.HeldOperations;
import io.gpusnap.service.node.NodeSettings;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import io.gpusnap.service.security.NodeCaller;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/**
 * The hot statements on operations: claim, renew, look for given-up ones. Each is one statement, and all time in them is
 * the database's. A lease that ran out only makes the operation free to be claimed again; the daemon that held it may
 * still report as long as nobody did, since only the epoch decides whose it is. Time in which this service was not there
 * to renew leases counts for nobody.
 */
@Component
class OperationQueue implements HeldOperations {
    private final JdbcClient jdbc;
    private final JsonColumns json;
    private final NodeSettings nodes;
    private final OperationSettings settings;
    private final Instant listeningSince;

    OperationQueue(
            JdbcClient jdbc, JsonColumns json, NodeSettings nodes, OperationSettings settings, DatabaseClock clock) {
        this.jdbc = jdbc;
        this.json = json;
        this.nodes = nodes;
        this.settings = settings;
        this.listeningSince = clock.now();
    }

    /**
     * Takes the node's oldest waiting operation of the lowest rank, or one whose lease ran out or belonged to an earlier session of the
     * node: a daemon that registered again has ended or forgotten what it held, and only it can know what is left of it
     * on the node. Only for the node's current session.
     */
    Optional<Task> claim(NodeCaller caller, Set<OperationKind> kinds) {
        return jdbc.sql("""
                        UPDATE operation
                           SET state = 'RUNNING', epoch = epoch + 1, attempt = attempt + 1, lease_owner = :session,
                               lease_until = now() + make_interval(secs => :lease),
                               started_at = coalesce(started_at, now()), version = version + 1
                         WHERE id = (SELECT o.id FROM operation o
                                      WHERE o.node_id = :node
                                        AND o.kind = ANY (:kinds)
                                        AND EXISTS (SELECT 1 FROM node n WHERE n.id = :node AND n.epoch = :session)
                                        AND (o.state = 'PENDING'
                                             OR (o.state = 'RUNNING' AND o.attempt < :attempts
                                                 AND (o.lease_owner < :session
                                                      OR greatest(o.lease_until, :since + make_interval(secs => :lease)) < now())))
                                      ORDER BY o.priority, o.id LIMIT 1
                                        FOR UPDATE OF o SKIP LOCKED)
                        RETURNING id, epoch, attempt, lease_until, kind, spec
                        """)
                .param("session", caller.epoch())
                .param("node", caller.nodeId().value())
                .param("kinds", kinds.stream().map(Enum::name).toArray(String[]::new))
                .param("lease", leaseSeconds())
                .param("attempts", settings.maxAttempts())
                .param("since", listeningSince.atOffset(ZoneOffset.UTC))
                .query((row, number) -> task(row))
                .optional();
    }

    record Renewal(boolean cancelRequested, Instant leaseUntil) {}

    /** Keeps the stages and renews the lease; empty if the operation is not this node's under this epoch, or is over. */
    Optional<Renewal> progress(NodeId node, OperationId operation, long epoch, List<StageReport> stages) {
        return jdbc.sql("""
                        UPDATE operation
                           SET stages = :stages::jsonb, lease_until = now() + make_interval(secs => :lease), version = version + 1
                         WHERE id = :id AND node_id = :node AND epoch = :epoch AND state = 'RUNNING'
                        RETURNING cancel_requested, lease_until
                        """)
                .param("stages", json.write(stages))
                .param("lease", leaseSeconds())
                .param("id", operation.value())
                .param("node", node.value())
                .param("epoch", epoch)
                .query((row, number) -> new Renewal(row.getBoolean("cancel_requested"), instant(row, "lease_until")))
                .optional();
    }

    /** A report as {@link #review}'s statement reads it. */
    private record Held(UUID id, long epoch) {}

    private record Renewed(OperationId id, boolean cancelRequested) {}

    @Override
    @Transactional(propagation = Propagation.MANDATORY)
    public Verdict review(NodeId node, List<HeldOperation> held) {
        if (held.isEmpty()) {
            return new Verdict(List.of(), List.of());
        }
        List<Renewed> renewed = jdbc.sql("""
                        UPDATE operation o SET lease_until = now() + make_interval(secs => :lease), version = version + 1
                          FROM jsonb_to_recordset(:held::jsonb) AS h (id uuid, epoch bigint)
                         WHERE o.id = h.id AND o.epoch = h.epoch AND o.node_id = :node AND o.state = 'RUNNING'
                        RETURNING o.id, o.cancel_requested
                        """)
                .param("lease", leaseSeconds())
                .param(
                        "held",
                        json.write(held.stream()
                                .map(one -> new Held(one.operationId().value(), one.epoch()))
                                .toList()))
                .param("node", node.value())
                .query((row, number) -> new Renewed(
                        new OperationId(row.getObject("id", UUID.class)), row.getBoolean("cancel_requested")))
                .list();
        Set<OperationId> fenced = new HashSet<>();
        held.forEach(one -> fenced.add(one.operationId()));
        renewed.forEach(one -> fenced.remove(one.id()));
        return new Verdict(
                renewed.stream()
                        .filter(Renewed::cancelRequested)
                        .map(Renewed::id)
                        .toList(),
                List.copyOf(fenced));
    }

    /** Locks operations that were claimed as often as allowed and whose lease ran out once more; by snapshot, as those are locked next. */
    List<OperationId> usedUp(int limit) {
        return jdbc.sql("""
                        WITH taken AS (SELECT id, snapshot_id FROM operation
                                        WHERE state = 'RUNNING' AND attempt >= :attempts
                                          AND greatest(lease_until, :since + make_interval(secs => :lease)) < now()
                                        ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED)
                        SELECT id FROM taken ORDER BY snapshot_id, id
                        """)
                .param("attempts", settings.maxAttempts())
                .param("since", listeningSince.atOffset(ZoneOffset.UTC))
                .param("lease", leaseSeconds())
                .param("limit", limit)
                .query((row, number) -> new OperationId(row.getObject("id", UUID.class)))
                .list();
    }

    /** Locks what the node has not ended; by snapshot, as those are locked next. */
    List<OperationId> activeOn(NodeId node) {
        return jdbc.sql("""
                        WITH taken AS (SELECT id, snapshot_id FROM operation
                                        WHERE node_id = ? AND state IN ('PENDING', 'RUNNING') ORDER BY id FOR UPDATE)
                        SELECT id FROM taken ORDER BY snapshot_id, id
                        """)
                .param(node.value())
                .query((row, number) -> new OperationId(row.getObject("id", UUID.class)))
                .list();
    }

    private double leaseSeconds() {
        return nodes.lease().toMillis() / 1000.0;
    }

    private Task task(ResultSet row) throws SQLException {
        OperationKind kind = OperationKind.valueOf(row.getString("kind"));
        return Task.of(
                new OperationId(row.getObject("id", UUID.class)),
                row.getLong("epoch"),
                row.getInt("attempt"),
                instant(row, "lease_until"),
                json.read(row.getString("spec"), kind.spec()));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
