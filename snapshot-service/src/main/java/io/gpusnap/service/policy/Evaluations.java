package io.gpusnap.service.policy;

import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.policy.rules.Decision;
import io.gpusnap.service.policy.rules.Facts;
import io.gpusnap.service.policy.rules.Plan;
import io.gpusnap.service.snapshot.Copies;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.Snapshot;
import io.gpusnap.service.snapshot.Snapshots;
import java.util.List;
import java.util.Optional;
import org.springframework.scheduling.annotation.Scheduled;
import org.springframework.stereotype.Service;

/** Lets policies decide, for show or for real. */
@Service
public class Evaluations {
    private final TierPolicies policies;
    private final PolicyRepository repository;
    private final FactsReader facts;
    private final Execution execution;
    private final Snapshots snapshots;
    private final Copies copies;
    private final PolicySettings settings;

    Evaluations(
            TierPolicies policies,
            PolicyRepository repository,
            FactsReader facts,
            Execution execution,
            Snapshots snapshots,
            Copies copies,
            PolicySettings settings) {
        this.policies = policies;
        this.repository = repository;
        this.facts = facts;
        this.execution = execution;
        this.snapshots = snapshots;
        this.copies = copies;
        this.settings = settings;
    }

    /** Where one snapshot is, and what the policy that is for it wants; empty when none is for it. */
    public record Explanation(Snapshot snapshot, List<Location> copies, Optional<Decided> decided) {}

    /** The policy that a snapshot is under, what it saw of it, and what it decides of it. */
    public record Decided(TierPolicy policy, Facts.SnapshotFacts seen, List<Decision> decisions) {}

    /**
     * Evaluates and changes nothing.
     *
     * @throws ApiException TIER_POLICY_NOT_FOUND
     */
    public List<Decision> dryRun(String policy) {
        return decide(policies.get(policy));
    }

    /**
     * Evaluates and queues what follows from it, as far as the limits on moves allow.
     *
     * @throws ApiException TIER_POLICY_NOT_FOUND, TIER_POLICY_DISABLED
     */
    public List<CarriedOut> run(String policy) {
        TierPolicy asked = policies.get(policy);
        if (!asked.spec().enabled()) {
            throw new ApiException(ErrorCode.TIER_POLICY_DISABLED, "Tier policy " + policy + " is not enabled.");
        }
        return execution.carryOut(decide(asked));
    }

    /**
     * Why the snapshot's copies are where they are, and what is going to change.
     *
     * @throws ApiException SNAPSHOT_NOT_FOUND
     */
    public Explanation explain(SnapshotId id) {
        Snapshot snapshot = snapshots.get(id);
        return new Explanation(
                snapshot, copies.of(id), policies.of(snapshot.modelName()).flatMap(policy -> explain(policy, id)));
    }

    private Optional<Decided> explain(TierPolicy policy, SnapshotId id) {
        Facts seen = factsFor(policy);
        return seen.snapshots().stream()
                .filter(one -> one.id().equals(id))
                .findFirst()
                .map(one -> new Decided(
                        policy,
                        one,
                        Plan.of(seen, policy.spec().rules()).stream()
                                .filter(decision -> decision.snapshot().equals(id))
                                .toList()));
    }

    /** Carries out every policy that is due; each by one replica. */
    @Scheduled(
            fixedDelayString = "${gpusnap.policies.interval:30s}",
            initialDelayString = "${gpusnap.policies.interval:30s}")
    void runDue() {
        for (Optional<TierPolicy> due = repository.takeDue(settings.interval());
                due.isPresent();
                due = repository.takeDue(settings.interval())) {
            execution.carryOut(decide(due.get()));
        }
    }

    private List<Decision> decide(TierPolicy policy) {
        return policies.isShadowed(policy)
                ? List.of()
                : Plan.of(factsFor(policy), policy.spec().rules());
    }

    private Facts factsFor(TierPolicy policy) {
        return facts.read(policy.spec().namedModels(), policies.othersModels(policy));
    }
}
