package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import java.util.OptionalLong;
import org.springframework.jdbc.core.simple.JdbcClient;

/**
 * Table {@code kubernetes_leader}: which instance runs the operator, on database time. Two leaders for a moment do no
 * harm: what they write to the cluster names the version that they read, and what they begin in the catalogue is a row with
 * a unique key.
 */
@KubernetesComponent
public class Leadership {
    private static final String OPERATOR = "operator";

    private final JdbcClient jdbc;
    private final KubernetesSettings settings;

    Leadership(JdbcClient jdbc, KubernetesSettings settings) {
        this.jdbc = jdbc;
        this.settings = settings;
    }

    /** Takes or keeps the lease; its epoch, or empty while another instance has it. */
    OptionalLong take(String holder) {
        return jdbc.sql("""
                        INSERT INTO kubernetes_leader AS l (name, holder, epoch, lease_until)
                        VALUES (:name, :holder, 1, now() + make_interval(secs => :lease))
                        ON CONFLICT (name) DO UPDATE
                           SET holder = excluded.holder, lease_until = excluded.lease_until,
                               epoch = l.epoch + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END
                         WHERE l.holder = excluded.holder OR l.lease_until < now()
                        RETURNING epoch
                        """)
                .param("name", OPERATOR)
                .param("holder", holder)
                .param("lease", settings.lease().toMillis() / 1000.0)
                .query(Long.class)
                .optional()
                .map(OptionalLong::of)
                .orElse(OptionalLong.empty());
    }

    /** Lets another instance take over at once. */
    void release(String holder) {
        jdbc.sql("UPDATE kubernetes_leader SET lease_until = now() WHERE name = :name AND holder = :holder")
                .param("name", OPERATOR)
                .param("holder", holder)
                .update();
    }

    /** Whether some instance runs the operator now. */
    public boolean someoneLeads() {
        return jdbc.sql("SELECT count(*) FROM kubernetes_leader WHERE name = ? AND lease_until > now()")
                        .param(OPERATOR)
                        .query(Long.class)
                        .single()
                > 0;
    }
}
