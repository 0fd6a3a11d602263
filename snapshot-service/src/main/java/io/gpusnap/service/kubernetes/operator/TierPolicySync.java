package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.web.IfMatch;
import io.gpusnap.service.policy.TierPolicies;
import io.gpusnap.service.policy.TierPolicy;
import io.gpusnap.service.policy.TierPolicySpec;
import io.gpusnap.service.policy.rules.Archive;
import io.gpusnap.service.policy.rules.MinimumCopies;
import io.gpusnap.service.policy.rules.Retention;
import io.gpusnap.service.policy.rules.Rule;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Tiering and retention of a SnapshotPolicy, as a tier policy of the catalogue. */
@KubernetesComponent
class TierPolicySync {
    private static final IfMatch AS_IT_IS = new IfMatch("*");

    private final TierPolicies policies;

    TierPolicySync(TierPolicies policies) {
        this.policies = policies;
    }

    /** Makes it so; the tier policy's name, if there is one. */
    Optional<String> write(SnapshotPolicy policy) {
        String name = name(policy);
        List<Rule> rules = rules(policy.getSpec());
        Optional<TierPolicy> there = find(name);
        if (rules.isEmpty()) {
            there.ifPresent(one -> policies.delete(name, AS_IT_IS));
            return Optional.empty();
        }
        TierPolicySpec wanted = new TierPolicySpec(List.of(policy.getSpec().model()), true, rules);
        if (there.isEmpty()) {
            policies.create(name, wanted);
        } else if (!there.get().spec().equals(wanted)) {
            policies.replace(name, wanted, AS_IT_IS);
        }
        return Optional.of(name);
    }

    void remove(SnapshotPolicy policy) {
        find(name(policy)).ifPresent(one -> policies.delete(one.name(), AS_IT_IS));
    }

    /** Names of two namespaces must not meet, and may be longer than the catalogue's. */
    private static String name(SnapshotPolicy policy) {
        String whole =
                policy.getMetadata().getNamespace() + "/" + policy.getMetadata().getName();
        return "kubernetes-" + UUID.nameUUIDFromBytes(whole.getBytes(StandardCharsets.UTF_8));
    }

    private static List<Rule> rules(SnapshotPolicySpec spec) {
        List<Rule> rules = new ArrayList<>();
        SnapshotPolicySpec.Tiering tiering = spec.tiering();
        if (tiering != null && tiering.minimumCopies() != null) {
            rules.add(new MinimumCopies(tiering.minimumCopies(), null));
        }
        if (tiering != null && tiering.archive() != null) {
            rules.add(new Archive(
                    Inventory.TierKind.valueOf(tiering.archive().to().name()),
                    Duration.ofHours(tiering.archive().unusedHours()),
                    null));
        }
        SnapshotPolicySpec.Retention retention = spec.retention();
        if (retention != null) {
            rules.add(new Retention(
                    retention.keepNewest(),
                    retention.maxAgeHours() == null ? null : Duration.ofHours(retention.maxAgeHours()),
                    null));
        }
        return List.copyOf(rules);
    }

    private Optional<TierPolicy> find(String name) {
        try {
            return Optional.of(policies.get(name));
        } catch (ApiException e) {
            if (e.code() == ErrorCode.TIER_POLICY_NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }
}
