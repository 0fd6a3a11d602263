package io.gpusnap.service.policy;

import io.gpusnap.service.platform.page.Page;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.problem.Violation;
import io.gpusnap.service.platform.web.IfMatch;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/** Tier policies, as callers change them. */
@Service
public class TierPolicies {
    private final PolicyRepository policies;

    TierPolicies(PolicyRepository policies) {
        this.policies = policies;
    }

    /**
     * Adds a policy.
     *
     * @throws ApiException INVALID_REQUEST, NAME_TAKEN, TIER_POLICY_OVERLAP
     */
    @Transactional
    public TierPolicy create(String name, TierPolicySpec spec) {
        check(spec);
        if (!policies.insert(name, spec)) {
            throw new ApiException(ErrorCode.NAME_TAKEN, "There is a tier policy called " + name + " already.");
        }
        requireAlone(name, spec);
        return get(name);
    }

    /**
     * Reads a policy.
     *
     * @throws ApiException TIER_POLICY_NOT_FOUND
     */
    @Transactional(readOnly = true)
    public TierPolicy get(String name) {
        return policies.find(name)
                .orElseThrow(() ->
                        new ApiException(ErrorCode.TIER_POLICY_NOT_FOUND, "No tier policy is called " + name + "."));
    }

    /** By name. */
    @Transactional(readOnly = true)
    public Page<TierPolicy> list(PageQuery query) {
        return Page.of(query, policies.list(query), TierPolicy::name);
    }

    /**
     * Says anew what a policy says.
     *
     * @throws ApiException INVALID_REQUEST, TIER_POLICY_NOT_FOUND, PRECONDITION_FAILED, TIER_POLICY_OVERLAP
     */
    @Transactional
    public TierPolicy replace(String name, TierPolicySpec spec, IfMatch ifMatch) {
        check(spec);
        TierPolicy policy = get(name);
        ifMatch.check(policy.rowVersion());
        if (!policies.update(policy, spec)) {
            throw changed(name);
        }
        requireAlone(name, spec);
        return get(name);
    }

    /**
     * Takes a policy away. What it has done stays; moves that are queued go on.
     *
     * @throws ApiException TIER_POLICY_NOT_FOUND, PRECONDITION_FAILED
     */
    @Transactional
    public void delete(String name, IfMatch ifMatch) {
        TierPolicy policy = get(name);
        ifMatch.check(policy.rowVersion());
        if (!policies.delete(policy)) {
            throw changed(name);
        }
    }

    /** The policy that a model's snapshots are under: one that names it, or else one for all; the first by name. */
    @Transactional(readOnly = true)
    public Optional<TierPolicy> of(String model) {
        List<TierPolicy> enabled = enabled();
        return enabled.stream()
                .filter(policy -> policy.spec().namedModels().contains(model))
                .findFirst()
                .or(() -> enabled.stream()
                        .filter(policy -> policy.spec().namedModels().isEmpty())
                        .findFirst());
    }

    /** Whether another policy has all that this one could decide about: two from before there could be one only. */
    boolean isShadowed(TierPolicy policy) {
        return policy.spec().enabled()
                && policy.spec().namedModels().isEmpty()
                && enabled().stream()
                        .anyMatch(other -> other.spec().namedModels().isEmpty()
                                && other.name().compareTo(policy.name()) < 0);
    }

    /** Models of which a policy does not decide, because an enabled one that comes before it does. */
    Set<String> othersModels(TierPolicy policy) {
        Set<String> models = new HashSet<>();
        enabled().stream()
                .filter(other -> !other.name().equals(policy.name()))
                .filter(other ->
                        policy.spec().namedModels().isEmpty() || other.name().compareTo(policy.name()) < 0)
                .forEach(other -> models.addAll(other.spec().namedModels()));
        return models;
    }

    private List<TierPolicy> enabled() {
        return policies.all().stream().filter(policy -> policy.spec().enabled()).toList();
    }

    private void requireAlone(String name, TierPolicySpec spec) {
        if (!spec.enabled()) {
            return;
        }
        policies.lock();
        for (TierPolicy other : enabled()) {
            if (!other.name().equals(name)) {
                overlap(spec, other.spec()).ifPresent(what -> {
                    throw new ApiException(
                            ErrorCode.TIER_POLICY_OVERLAP,
                            "Tier policy " + other.name() + " decides about " + what + " already.");
                });
            }
        }
    }

    /** What both are for, if anything. One for all models is for those that no other policy names. */
    private static Optional<String> overlap(TierPolicySpec one, TierPolicySpec other) {
        if (one.namedModels().isEmpty() && other.namedModels().isEmpty()) {
            return Optional.of("every model that no policy names");
        }
        return one.namedModels().stream()
                .filter(other.namedModels()::contains)
                .findFirst()
                .map(model -> "model " + model);
    }

    private static void check(TierPolicySpec spec) {
        List<Violation> violations = IntStream.range(0, spec.rules().size())
                .boxed()
                .flatMap(i -> spec.rules().get(i).whyInvalid().stream().map(why -> new Violation("/rules/" + i, why)))
                .toList();
        if (!violations.isEmpty()) {
            Violation first = violations.getFirst();
            throw new ApiException(ErrorCode.INVALID_REQUEST, first.pointer() + " " + first.detail() + ".", violations);
        }
    }

    private static ApiException changed(String name) {
        return new ApiException(ErrorCode.PRECONDITION_FAILED, "Tier policy " + name + " was changed meanwhile.");
    }
}
