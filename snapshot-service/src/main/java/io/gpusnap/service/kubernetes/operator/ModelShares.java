package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.scaling.ModelAudience;
import java.util.List;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;

/**
 * Table {@code kubernetes_model_share}: which namespaces the Models name. Whoever leads reads them from its watch; it writes them here for
 * the scaler, which any instance may be asked as.
 */
@KubernetesComponent
class ModelShares implements ModelAudience {
    private final ModelOwners owners;
    private final JdbcClient jdbc;

    ModelShares(ModelOwners owners, JdbcClient jdbc) {
        this.owners = owners;
        this.jdbc = jdbc;
    }

    /** Makes it so; nothing is written of what is so already. */
    @Transactional
    public void keep(String model, List<String> namespaces) {
        List<String> before = of(model);
        before.stream()
                .filter(one -> !namespaces.contains(one))
                .forEach(one -> jdbc.sql("DELETE FROM kubernetes_model_share WHERE model_name = ? AND namespace = ?")
                        .params(model, one)
                        .update());
        namespaces.stream()
                .filter(one -> !before.contains(one))
                .forEach(one -> jdbc.sql("INSERT INTO kubernetes_model_share VALUES (?, ?) ON CONFLICT DO NOTHING")
                        .params(model, one)
                        .update());
    }

    @Override
    public Optional<String> refusal(String namespace, String model) {
        return owners.objection(namespace, model, of(model));
    }

    private List<String> of(String model) {
        return jdbc.sql("SELECT namespace FROM kubernetes_model_share WHERE model_name = ?")
                .param(model)
                .query(String.class)
                .list();
    }
}
