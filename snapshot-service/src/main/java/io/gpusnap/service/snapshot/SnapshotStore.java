package io.gpusnap.service.snapshot;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;

/** Manifests and holders of snapshots, in plain SQL. */
@Component
class SnapshotStore {
    private final JdbcClient jdbc;

    SnapshotStore(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    void putManifest(SnapshotId snapshot, byte[] content) {
        jdbc.sql("INSERT INTO snapshot_manifest (snapshot_id, content) VALUES (?, ?)")
                .param(snapshot.value())
                .param(content)
                .update();
    }

    Optional<byte[]> manifest(SnapshotId snapshot) {
        return jdbc.sql("SELECT content FROM snapshot_manifest WHERE snapshot_id = ?")
                .param(snapshot.value())
                .query((row, number) -> row.getBytes("content"))
                .optional();
    }

    List<NodeId> holders(SnapshotId snapshot) {
        return jdbc.sql("SELECT node_id FROM snapshot_holder WHERE snapshot_id = ? ORDER BY confirmed_at DESC, node_id")
                .param(snapshot.value())
                .query((row, number) -> new NodeId(row.getObject("node_id", UUID.class)))
                .list();
    }

    /** Whether it was there, CREATING and named by nobody; then it is not any more. */
    boolean drop(SnapshotId snapshot) {
        return jdbc.sql("""
                        DELETE FROM snapshot s
                         WHERE s.id = :id AND s.state = 'CREATING'
                           AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.snapshot_id = s.id)
                           AND NOT EXISTS (SELECT 1 FROM restore r WHERE r.snapshot_id = s.id)
                        """).param("id", snapshot.value()).update() == 1;
    }

    /** Drops what is only needed while the snapshot exists. */
    void forget(SnapshotId snapshot) {
        jdbc.sql("DELETE FROM snapshot_manifest WHERE snapshot_id = ?")
                .param(snapshot.value())
                .update();
    }

    /** For how long the one that is DELETING for longest has been so, seconds; 0 where none is. */
    double oldestDeletionSeconds() {
        return jdbc.sql(
                        "SELECT coalesce(extract(epoch FROM now() - min(updated_at)), 0) FROM snapshot WHERE state = 'DELETING'")
                .query(Double.class)
                .single();
    }

    record Bytes(long logical, long stored) {}

    Bytes readyBytes() {
        return jdbc.sql(
                        "SELECT coalesce(sum(logical_bytes), 0) AS logical, coalesce(sum(stored_bytes), 0) AS stored FROM snapshot WHERE state IN ('READY', 'QUARANTINED')")
                .query((row, number) -> new Bytes(row.getLong("logical"), row.getLong("stored")))
                .single();
    }

    Map<SnapshotState, Long> countByState() {
        return jdbc
                .sql("SELECT state, count(*) AS n FROM snapshot GROUP BY state")
                .query((row, number) -> Map.entry(SnapshotState.valueOf(row.getString("state")), row.getLong("n")))
                .list()
                .stream()
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
}
