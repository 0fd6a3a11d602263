package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.ModelSpec;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;

/**
 * Table {@code kubernetes_model}: the namespace that a model belongs to, which is the first one whose policy named it before it was
 * in the catalogue. Others may have to do with it if its Model says so. A model that came into the catalogue in another way
 * belongs to nobody: it is for all, unless its Model names some.
 */
@KubernetesComponent
class ModelOwners {
    private final Watched watched;
    private final JdbcClient jdbc;

    ModelOwners(Watched watched, JdbcClient jdbc) {
        this.watched = watched;
        this.jdbc = jdbc;
    }

    /** Namespaces that the Model names. */
    static List<String> sharedWith(Model model) {
        ModelSpec spec = Objects.requireNonNullElse(model.getSpec(), ModelSpec.EMPTY);
        return Objects.requireNonNullElse(spec.sharedWith(), List.of());
    }

    /** Why nothing of this namespace may have to do with the model; empty if it may. */
    Optional<String> objection(String namespace, String model) {
        return objection(
                namespace,
                model,
                watched.model(model).map(ModelOwners::sharedWith).orElse(List.of()));
    }

    /** The same where no Model is known. */
    Optional<String> objection(String namespace, String model, List<String> shared) {
        if (shared.contains(namespace) || shared.contains(ModelSpec.EVERYBODY)) {
            return Optional.empty();
        }
        Optional<String> owner = owner(model);
        if (owner.isEmpty() ? shared.isEmpty() : owner.get().equals(namespace)) {
            return Optional.empty();
        }
        return Optional.of("Model " + model + " "
                + owner.map(one -> "belongs to namespace " + one).orElse("is shared with some namespaces only")
                + ": name another model, or have an administrator add " + namespace + " to spec.sharedWith of Model "
                + model + ".");
    }

    private Optional<String> owner(String model) {
        return jdbc.sql("SELECT namespace FROM kubernetes_model WHERE model_name = ?")
                .param(model)
                .query(String.class)
                .optional();
    }

    /**
     * For a policy of the namespace: a model that nobody has is its own from now on, unless it is in the catalogue or comes there by
     * its Model. Who makes the model in the same transaction makes it for that owner: until its end nobody forgets him.
     */
    void claim(String namespace, String model) {
        if (watched.model(model)
                .filter(one -> one.getMetadata().getDeletionTimestamp() == null)
                .isPresent()) {
            return;
        }
        jdbc.sql("""
                        INSERT INTO kubernetes_model (model_name, namespace, created_at)
                        SELECT :model, :namespace, now() WHERE NOT EXISTS (SELECT 1 FROM model WHERE name = :model)
                        ON CONFLICT (model_name) DO UPDATE SET model_name = excluded.model_name
                        """).param("model", model).param("namespace", namespace).update();
    }

    /** If it is not in the catalogue, and no policy of its namespace names it any more: whoever names it next has it. */
    @Transactional
    public void forget(String model) {
        // locked first: a statement that waits for whoever makes the model would not see what he has made
        jdbc.sql("SELECT namespace FROM kubernetes_model WHERE model_name = ? FOR UPDATE")
                .param(model)
                .query(String.class)
                .optional()
                .filter(owner -> watched.policiesOf(model).stream()
                        .noneMatch(policy -> policy.getMetadata().getNamespace().equals(owner)
                                && policy.getMetadata().getDeletionTimestamp() == null))
                .ifPresent(owner -> jdbc.sql("DELETE FROM kubernetes_model WHERE model_name = :model"
                                + " AND NOT EXISTS (SELECT 1 FROM model WHERE name = :model)")
                        .param("model", model)
                        .update());
    }
}
