package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.json.JsonColumns;
import io.gpusnap.service.platform.page.PageQuery;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Table {@code node}, in plain SQL: every heartbeat of every node writes it. */
@Component
class NodeRepository {
    private static final String COLUMNS =
            "id, name, instance_id, agent_version, epoch, schedulable, state, inventory, registered_at, last_heartbeat_at, version";

    private static final String UNHEARD =
            "state = :from AND greatest(last_heartbeat_at, :notBefore) < now() - make_interval(secs => :limit)";

    private final JdbcClient jdbc;
    private final JsonColumns json;

    NodeRepository(JdbcClient jdbc, JsonColumns json) {
        this.jdbc = jdbc;
        this.json = json;
    }

    record Session(NodeId id, long epoch) {}

    Session register(
            NodeId candidate, String name, UUID instance, String agentVersion, Inventory inventory, byte[] digest) {
        return jdbc.sql("""
                        INSERT INTO node AS n (id, name, instance_id, agent_version, epoch, session_digest, state, inventory, registered_at, last_heartbeat_at)
                        VALUES (:id, :name, :instance, :agent, 1, :digest, 'ONLINE', :inventory::jsonb, now(), now())
                        ON CONFLICT (name) DO UPDATE
                           SET instance_id = excluded.instance_id, agent_version = excluded.agent_version, epoch = n.epoch + 1,
                               session_digest = excluded.session_digest, state = 'ONLINE', inventory = excluded.inventory,
                               registered_at = now(), last_heartbeat_at = now()
                        RETURNING id, epoch
                        """)
                .param("id", candidate.value())
                .param("name", name)
                .param("instance", instance)
                .param("agent", agentVersion)
                .param("digest", digest)
                .param("inventory", json.write(inventory))
                .query((row, number) -> new Session(new NodeId(row.getObject("id", UUID.class)), row.getLong("epoch")))
                .single();
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared as a record
    record Credentials(long epoch, byte[] digest) {}

    Optional<Credentials> credentials(NodeId id) {
        return jdbc.sql("SELECT epoch, session_digest FROM node WHERE id = ?")
                .param(id.value())
                .query((row, number) -> new Credentials(row.getLong("epoch"), row.getBytes("session_digest")))
                .optional();
    }

    record Beat(Instant serverTime, NodeState before, String name) {}

    /**
     * Records a heartbeat; empty if the session is over. The lock is the one that an UPDATE takes: a completion that holds
     * what the heartbeat needs next may still insert rows that refer to the node.
     */
    Optional<Beat> beat(NodeId id, long epoch, Inventory inventory) {
        return jdbc.sql("""
                        WITH before AS (SELECT id, state, name FROM node WHERE id = :id AND epoch = :epoch FOR NO KEY UPDATE)
                        UPDATE node SET inventory = :inventory::jsonb, last_heartbeat_at = now(), state = 'ONLINE'
                          FROM before WHERE node.id = before.id
                        RETURNING now() AS server_time, before.state, before.name
                        """)
                .param("id", id.value())
                .param("epoch", epoch)
                .param("inventory", json.write(inventory))
                .query((row, number) -> new Beat(
                        instant(row, "server_time"), NodeState.valueOf(row.getString("state")), row.getString("name")))
                .optional();
    }

    /** Nodes of {@code from} that were not heard since {@code limit}; {@code notBefore} counts as a sign of life. */
    List<NodeId> unheard(NodeState from, Duration limit, Instant notBefore) {
        return jdbc.sql("SELECT id FROM node WHERE " + UNHEARD + " ORDER BY id")
                .param("from", from.name())
                .param("notBefore", notBefore.atOffset(ZoneOffset.UTC))
                .param("limit", limit.toMillis() / 1000.0)
                .query((row, number) -> new NodeId(row.getObject("id", UUID.class)))
                .list();
    }

    /** Changes the state of one of those, unless it was heard meanwhile or somebody else has changed it. */
    Optional<NodeStateChanged> expire(NodeId id, NodeState from, NodeState to, Duration limit, Instant notBefore) {
        return jdbc.sql("UPDATE node SET state = :to WHERE id = :id AND " + UNHEARD + " RETURNING name")
                .param("to", to.name())
                .param("id", id.value())
                .param("from", from.name())
                .param("notBefore", notBefore.atOffset(ZoneOffset.UTC))
                .param("limit", limit.toMillis() / 1000.0)
                .query((row, number) -> new NodeStateChanged(id, row.getString("name"), to))
                .optional();
    }

    Optional<Node> find(NodeId id) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM node WHERE id = ?")
                .param(id.value())
                .query(this::map)
                .optional();
    }

    Optional<Node> named(String name) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM node WHERE name = ?")
                .param(name)
                .query(this::map)
                .optional();
    }

    /** Without what they store. */
    List<Node> find(Collection<NodeId> ids) {
        return jdbc.sql("SELECT " + COLUMNS.replace("inventory", "inventory - 'snapshots' AS inventory")
                        + " FROM node WHERE id = ANY (?)")
                .param(ids.stream().map(NodeId::value).toArray(UUID[]::new))
                .query(this::map)
                .list();
    }

    List<Node> list(PageQuery query) {
        return jdbc.sql("SELECT " + COLUMNS
                        + " FROM node WHERE (:after::uuid IS NULL OR id < :after::uuid) ORDER BY id DESC LIMIT :limit")
                .param("after", query.afterId().map(UUID::toString).orElse(null))
                .param("limit", query.size() + 1)
                .query(this::map)
                .list();
    }

    boolean setSchedulable(NodeId id, boolean schedulable, long version) {
        return jdbc.sql(
                                "UPDATE node SET schedulable = :schedulable, version = version + 1 WHERE id = :id AND version = :version")
                        .param("schedulable", schedulable)
                        .param("id", id.value())
                        .param("version", version)
                        .update()
                == 1;
    }

    Map<NodeState, Long> countByState() {
        return jdbc
                .sql("SELECT state, count(*) AS n FROM node GROUP BY state")
                .query((row, number) -> Map.entry(NodeState.valueOf(row.getString("state")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private Node map(ResultSet row, int number) throws SQLException {
        return new Node(
                new NodeId(row.getObject("id", UUID.class)),
                row.getString("name"),
                row.getObject("instance_id", UUID.class),
                row.getString("agent_version"),
                row.getLong("epoch"),
                row.getBoolean("schedulable"),
                NodeState.valueOf(row.getString("state")),
                json.read(row.getString("inventory"), Inventory.class),
                instant(row, "registered_at"),
                instant(row, "last_heartbeat_at"),
                row.getLong("version"));
    }

    private static Instant instant(ResultSet row, String column) throws SQLException {
        return row.getObject(column, OffsetDateTime.class).toInstant();
    }
}
