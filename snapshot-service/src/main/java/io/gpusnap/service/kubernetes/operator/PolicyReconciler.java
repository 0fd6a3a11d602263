package io.gpusnap.service.kubernetes.operator;

import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicyStatus;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Keeps a policy's tier policy and alias as it says, and tells how it stands. Pods bring their snapshots by themselves. */
@KubernetesComponent
class PolicyReconciler implements Reconciler {
    private static final Duration WHILE_REFUSED = Duration.ofSeconds(30);

    /** What may end without anything happening to the policy itself. */
    private static final Set<ErrorCode> PASSING = Set.of(ErrorCode.CONFLICT, ErrorCode.TIER_POLICY_OVERLAP);

    private final Watched watched;
    private final Cluster cluster;
    private final TierPolicySync tiers;
    private final PolicyRollouts rollouts;
    private final ArchiveCondition archive;
    private final ModelOwners owners;
    private final DatabaseClock clock;

    PolicyReconciler(
            Watched watched,
            Cluster cluster,
            TierPolicySync tiers,
            PolicyRollouts rollouts,
            ArchiveCondition archive,
            ModelOwners owners,
            DatabaseClock clock) {
        this.watched = watched;
        this.cluster = cluster;
        this.tiers = tiers;
        this.rollouts = rollouts;
        this.archive = archive;
        this.owners = owners;
        this.clock = clock;
    }

    private record Verdict(boolean ready, String reason, String message) {}

    @Override
    public Key.Kind kind() {
        return Key.Kind.POLICY;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        Optional<SnapshotPolicy> found = watched.policy(key);
        if (found.isEmpty()) {
            return Optional.empty();
        }
        SnapshotPolicy policy = found.get();
        if (policy.getMetadata().getDeletionTimestamp() != null) {
            tiers.remove(policy);
            rollouts.forget(policy);
            owners.forget(policy.getSpec().model());
            cluster.finalizer(policy, Crd.FINALIZER, false);
            return Optional.empty();
        }
        SnapshotPolicy kept = cluster.finalizer(policy, Crd.FINALIZER, true);
        List<PodSnapshot> taken = watched.podSnapshots(kept).stream()
                .sorted(Comparator.comparing(
                                (PodSnapshot one) -> one.getMetadata().getCreationTimestamp())
                        .reversed())
                .toList();
        Optional<Duration> again = Optional.empty();
        Verdict verdict;
        String tierPolicy = null;
        owners.claim(key.namespace(), kept.getSpec().model());
        Optional<String> objection =
                owners.objection(key.namespace(), kept.getSpec().model());
        try {
            if (objection.isPresent()) {
                tiers.remove(kept);
                verdict = new Verdict(false, "ModelNotShared", objection.get());
                again = Optional.of(WHILE_REFUSED);
            } else {
                try {
                    tierPolicy = tiers.write(kept).orElse(null);
                } finally {
                    // Another policy's tier rules for the model are no reason to hold new versions back.
                    rollOut(kept, taken);
                }
                verdict = verdict(kept, taken);
            }
        } catch (ApiException e) {
            verdict = new Verdict(false, "Refused", e.code() + ": " + e.detail());
            again = PASSING.contains(e.code()) ? Optional.of(WHILE_REFUSED) : again;
        }
        tell(kept, taken, tierPolicy, verdict);
        return again;
    }

    private void rollOut(SnapshotPolicy policy, List<PodSnapshot> taken) {
        var rollout = policy.getSpec().rollout();
        if (rollout != null) {
            taken.stream()
                    .filter(PodSnapshotReconciler::isReady)
                    .findFirst()
                    .ifPresent(newest ->
                            rollouts.begin(policy, rollout, newest.getSpec().version()));
        }
    }

    private static Verdict verdict(SnapshotPolicy policy, List<PodSnapshot> taken) {
        if (Boolean.TRUE.equals(policy.getSpec().suspended())) {
            return new Verdict(true, "Suspended", "No new snapshots are taken.");
        }
        if (taken.isEmpty()) {
            return new Verdict(
                    true, "WaitingForPods", "No pod of it was warm yet and had a process that a daemon reports.");
        }
        if (taken.stream().anyMatch(PodSnapshotReconciler::isReady)) {
            return new Verdict(true, "HasSnapshot", "New pods can start from a snapshot.");
        }
        if (taken.stream().allMatch(PodSnapshotReconciler::hasFailed)) {
            return new Verdict(
                    false,
                    "SnapshotsFailed",
                    "PodSnapshot " + taken.getFirst().getMetadata().getName() + ": " + messageOf(taken.getFirst()));
        }
        if (taken.stream().allMatch(PodSnapshotReconciler::isOver)) {
            return new Verdict(
                    true, "WaitingForPods", "Its snapshots were deleted; the next warm pod has another one taken.");
        }
        return new Verdict(true, "TakingSnapshot", "The first snapshot is being taken.");
    }

    private static String messageOf(PodSnapshot resource) {
        return resource.getStatus() == null
                ? ""
                : Conditions.find(resource.getStatus().conditions(), Conditions.READY)
                        .map(condition -> condition.getMessage())
                        .orElse("");
    }

    private void tell(SnapshotPolicy policy, List<PodSnapshot> taken, @Nullable String tierPolicy, Verdict verdict) {
        SnapshotPolicyStatus before = Objects.requireNonNullElse(policy.getStatus(), SnapshotPolicyStatus.EMPTY);
        Long generation = policy.getMetadata().getGeneration();
        cluster.status(
                policy,
                new SnapshotPolicyStatus(
                        generation,
                        tierPolicy,
                        taken.isEmpty() ? null : taken.getFirst().getMetadata().getName(),
                        archive.in(
                                Conditions.with(
                                        before.conditions(),
                                        Conditions.READY,
                                        verdict.ready(),
                                        verdict.reason(),
                                        verdict.message(),
                                        generation,
                                        clock.now()),
                                generation)));
    }
}
