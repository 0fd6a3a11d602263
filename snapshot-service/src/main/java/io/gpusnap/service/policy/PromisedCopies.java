package io.gpusnap.service.policy;

import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.policy.rules.Facts;
import io.gpusnap.service.policy.rules.Plan;
import io.gpusnap.service.snapshot.CopyPromises;
import io.gpusnap.service.snapshot.Snapshot;
import java.util.Optional;
import org.springframework.stereotype.Component;

/** What the policy that a snapshot is under promises of its copies, as they are at the moment of a removal. */
@Component
class PromisedCopies implements CopyPromises {
    private final TierPolicies policies;
    private final FactsReader facts;

    PromisedCopies(TierPolicies policies, FactsReader facts) {
        this.policies = policies;
        this.facts = facts;
    }

    @Override
    public Optional<String> whyNeeded(Snapshot snapshot, StoreId store) {
        return policies.of(snapshot.modelName()).flatMap(policy -> {
            Facts seen = facts.readFor(snapshot);
            return Plan.promised(seen, policy.spec().rules(), snapshot.id(), store)
                    .map(why -> "Tier policy " + policy.name() + " counts on the copy, by its rule " + why);
        });
    }
}
