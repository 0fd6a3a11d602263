package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.operation.AfterSave;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.snapshot.SnapshotCommands;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;

/** Table {@code kubernetes_save}: a PodSnapshot and the snapshot that was begun for it, in one transaction. */
@KubernetesComponent
class Saves {
    private final JdbcClient jdbc;
    private final SnapshotCommands commands;

    Saves(JdbcClient jdbc, SnapshotCommands commands) {
        this.jdbc = jdbc;
        this.commands = commands;
    }

    record Save(SnapshotId snapshot, String namespace, String name) {}

    Optional<Save> of(PodSnapshot resource) {
        return jdbc.sql("SELECT * FROM kubernetes_save WHERE pod_snapshot_uid = ?")
                .param(UUID.fromString(resource.getMetadata().getUid()))
                .query(Saves::map)
                .optional();
    }

    Optional<Save> of(SnapshotId snapshot) {
        return jdbc.sql("SELECT * FROM kubernetes_save WHERE snapshot_id = ?")
                .param(snapshot.value())
                .query(Saves::map)
                .optional();
    }

    /**
     * Begins a snapshot; the process goes on when it is done.
     *
     * @param quiesceSeconds that the process may take to come to rest; null: as its daemon says
     */
    @Transactional
    public SnapshotId begin(PodSnapshot resource, WorkloadId workload, @Nullable Integer quiesceSeconds) {
        SnapshotId snapshot = commands.save(
                        resource.getSpec().model(),
                        resource.getSpec().version(),
                        workload,
                        Engine.CRIU_CUDA,
                        AfterSave.KEEP_RUNNING,
                        null,
                        quiesceSeconds)
                .snapshot()
                .id();
        jdbc.sql("""
                        INSERT INTO kubernetes_save (pod_snapshot_uid, snapshot_id, namespace, name, created_at)
                        VALUES (:uid, :snapshot, :namespace, :name, now())
                        """)
                .param("uid", UUID.fromString(resource.getMetadata().getUid()))
                .param("snapshot", snapshot.value())
                .param("namespace", resource.getMetadata().getNamespace())
                .param("name", resource.getMetadata().getName())
                .update();
        return snapshot;
    }

    void forget(PodSnapshot resource) {
        jdbc.sql("DELETE FROM kubernetes_save WHERE pod_snapshot_uid = ?")
                .param(UUID.fromString(resource.getMetadata().getUid()))
                .update();
    }

    private static Save map(ResultSet row, int number) throws SQLException {
        return new Save(
                new SnapshotId(row.getObject("snapshot_id", UUID.class)),
                row.getString("namespace"),
                row.getString("name"));
    }
}
