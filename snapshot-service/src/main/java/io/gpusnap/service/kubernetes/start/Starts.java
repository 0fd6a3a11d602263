package io.gpusnap.service.kubernetes.start;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.node.ColdPods;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.RestoreId;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.springframework.jdbc.core.simple.JdbcClient;

/** Table {@code kubernetes_start}. A phase changes only from the one that the caller saw. */
@KubernetesComponent
public class Starts implements ColdPods {
    private static final String COLUMNS =
            "pod_uid, namespace, pod_name, phase, node_id, restore_id, code, reason, deadline < now() AS overdue";

    private final JdbcClient jdbc;

    Starts(JdbcClient jdbc) {
        this.jdbc = jdbc;
    }

    /** A pod. */
    public record PodRef(UUID uid, String namespace, String name) {}

    public Optional<Start> find(UUID pod) {
        return jdbc.sql("SELECT " + COLUMNS + " FROM kubernetes_start WHERE pod_uid = ?")
                .param(pod)
                .query(Starts::map)
                .optional();
    }

    /** Those whose restore is on its way: what becomes of it no pod tells. */
    public List<Start> open() {
        return jdbc.sql("SELECT " + COLUMNS + " FROM kubernetes_start WHERE phase = 'THAWING'")
                .query(Starts::map)
                .list();
    }

    /** All that is kept. */
    public List<Start> all() {
        return jdbc.sql("SELECT " + COLUMNS + " FROM kubernetes_start")
                .query(Starts::map)
                .list();
    }

    /** Its node is chosen. Whether nobody else has decided about the pod before. */
    public boolean placed(PodRef pod, NodeId node) {
        return insert(pod, Start.Phase.PLACED, node, null, null);
    }

    /** It starts cold, and nothing was decided before. Whether that is so. */
    public boolean cold(PodRef pod, String code, String reason) {
        return insert(pod, Start.Phase.COLD, null, code, reason);
    }

    private boolean insert(
            PodRef pod, Start.Phase phase, @Nullable NodeId node, @Nullable String code, @Nullable String reason) {
        return jdbc.sql("""
                        INSERT INTO kubernetes_start (pod_uid, namespace, pod_name, phase, node_id, code, reason, deadline, created_at, updated_at)
                        VALUES (:uid, :namespace, :name, :phase, :node, :code, :reason, 'infinity', now(), now())
                        ON CONFLICT DO NOTHING
                        """)
                        .param("uid", pod.uid())
                        .param("namespace", pod.namespace())
                        .param("name", pod.name())
                        .param("phase", phase.name())
                        .param("node", node == null ? null : node.value(), java.sql.Types.OTHER)
                        .param("code", code)
                        .param("reason", reason)
                        .update()
                == 1;
    }

    /** It runs on another node than the one that was chosen, and can be thawed there. */
    public boolean moved(Start seen, NodeId node) {
        return jdbc.sql("""
                        UPDATE kubernetes_start SET node_id = :node, updated_at = now()
                         WHERE pod_uid = :uid AND phase = 'PLACED' AND node_id = :before
                        """)
                        .param("node", node.value())
                        .param("uid", seen.podUid())
                        .param("before", seen.node().orElseThrow().value())
                        .update()
                == 1;
    }

    /** A restore has begun, and its time; called in the transaction that begins it. */
    public boolean thawing(UUID pod, RestoreId restore, int withinSeconds) {
        return jdbc.sql("""
                        UPDATE kubernetes_start
                           SET phase = 'THAWING', restore_id = :restore, deadline = now() + make_interval(secs => :within),
                               updated_at = now()
                         WHERE pod_uid = :uid AND phase = 'PLACED'
                        """)
                        .param("restore", restore.value())
                        .param("within", withinSeconds)
                        .param("uid", pod)
                        .update()
                == 1;
    }

    /** Its process is back. */
    public boolean restored(UUID pod) {
        return jdbc.sql(
                                "UPDATE kubernetes_start SET phase = 'RESTORED', updated_at = now() WHERE pod_uid = ? AND phase = 'THAWING'")
                        .param(pod)
                        .update()
                == 1;
    }

    /** Nothing came of it. */
    public boolean gaveUp(Start seen, String code, String reason) {
        return jdbc.sql("""
                        UPDATE kubernetes_start SET phase = 'COLD', code = :code, reason = :reason, updated_at = now()
                         WHERE pod_uid = :uid AND phase = :phase
                        """)
                        .param("code", code)
                        .param("reason", reason)
                        .param("uid", seen.podUid())
                        .param("phase", seen.phase().name())
                        .update()
                == 1;
    }

    /** It starts cold on this node, whose daemon tells containers that wait; so long at most, since then none waits any more. */
    public void coldOn(UUID pod, NodeId node, Duration patience) {
        jdbc.sql("""
                        UPDATE kubernetes_start
                           SET cold_on = :node, cold_until = now() + make_interval(secs => :patience), updated_at = now()
                         WHERE pod_uid = :uid AND phase = 'COLD' AND cold_on IS DISTINCT FROM :node
                        """)
                .param("node", node.value())
                .param("patience", patience.toMillis() / 1000.0)
                .param("uid", pod)
                .update();
    }

    @Override
    public List<UUID> on(NodeId node) {
        return jdbc.sql("SELECT pod_uid FROM kubernetes_start WHERE cold_on = ? AND cold_until > now()")
                .param(node.value())
                .query(UUID.class)
                .list();
    }

    /** The pod of that name is gone, or is another one: what was kept of those before is given back and forgotten. */
    public List<Start> forgetBut(String namespace, String name, @Nullable UUID uid) {
        return jdbc.sql("DELETE FROM kubernetes_start WHERE namespace = :namespace AND pod_name = :name"
                        + " AND (:uid::uuid IS NULL OR pod_uid <> :uid::uuid) RETURNING " + COLUMNS)
                .param("namespace", namespace)
                .param("name", name)
                .param("uid", uid == null ? null : uid.toString())
                .query(Starts::map)
                .list();
    }

    private static Start map(ResultSet row, int number) throws SQLException {
        return new Start(
                row.getObject("pod_uid", UUID.class),
                row.getString("namespace"),
                row.getString("pod_name"),
                Start.Phase.valueOf(row.getString("phase")),
                Optional.ofNullable(row.getObject("node_id", UUID.class)).map(NodeId::new),
                Optional.ofNullable(row.getObject("restore_id", UUID.class)).map(RestoreId::new),
                Optional.ofNullable(row.getString("code")),
                Optional.ofNullable(row.getString("reason")),
                row.getBoolean("overdue"));
    }
}
