package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.rollout.Rollouts;
import io.gpusnap.service.rollout.StepSpec;
import io.gpusnap.service.version.Alias;
import io.gpusnap.service.version.Aliases;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.annotation.Transactional;

/** Table {@code kubernetes_rollout}: what follows a version's first READY snapshot, once for each version. */
@KubernetesComponent
class PolicyRollouts {
    private static final String WHO = "kubernetes";
    private static final IfMatch AS_IT_IS = new IfMatch("*");

    private final JdbcClient jdbc;
    private final Aliases aliases;
    private final Rollouts rollouts;

    PolicyRollouts(JdbcClient jdbc, Aliases aliases, Rollouts rollouts) {
        this.jdbc = jdbc;
        this.aliases = aliases;
        this.rollouts = rollouts;
    }

    /**
     * Lets the policy's alias stand for the version, at once or step by step. Never again for this version: what was rolled
     * back since stays back.
     *
     * @throws io.gpusnap.service.platform.problem.ApiException CONFLICT while another rollout of the alias is on its way
     */
    @Transactional
    public void begin(SnapshotPolicy policy, SnapshotPolicySpec.Rollout rollout, String version) {
        if (!first(policy, version)) {
            return;
        }
        String model = policy.getSpec().model();
        String why = "SnapshotPolicy " + policy.getMetadata().getNamespace() + "/"
                + policy.getMetadata().getName() + " has a READY snapshot";
        Optional<Alias> alias = aliases.find(model, rollout.alias());
        if (alias.isEmpty()) {
            aliases.create(model, rollout.alias(), version, new Aliases.Reason(WHO, why));
        } else if (!alias.get().versionName().equals(version)) {
            if (rollout.steps() == null || rollout.steps().isEmpty()) {
                aliases.promote(model, rollout.alias(), version, AS_IT_IS, new Aliases.Reason(WHO, why));
            } else {
                List<StepSpec> steps =
                        rollout.steps().stream().map(PolicyRollouts::step).toList();
                rollouts.create(model, rollout.alias(), version, steps, new Rollouts.Reason(WHO, why));
            }
        }
    }

    private boolean first(SnapshotPolicy policy, String version) {
        return jdbc.sql("INSERT INTO kubernetes_rollout (policy_uid, version_name, created_at)"
                                + " VALUES (:policy, :version, now()) ON CONFLICT DO NOTHING")
                        .param("policy", UUID.fromString(policy.getMetadata().getUid()))
                        .param("version", version)
                        .update()
                == 1;
    }

    void forget(SnapshotPolicy policy) {
        jdbc.sql("DELETE FROM kubernetes_rollout WHERE policy_uid = ?")
                .param(UUID.fromString(policy.getMetadata().getUid()))
                .update();
    }

    private static StepSpec step(SnapshotPolicySpec.Step step) {
        Integer pause = step.pauseSeconds();
        return new StepSpec(
                step.setWeight(), pause == null ? null : new StepSpec.Pause(pause == 0 ? null : pause), null, null);
    }
}
