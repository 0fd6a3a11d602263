package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotSpec;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * Asks for a snapshot of a pod once it is warm, unless there is one that pods like it can start from: one of its version,
 * and, if the pod itself could not start from that since its node is of another kind, one of that kind.
 */
@KubernetesComponent
class FirstSnapshots {
    private static final int LONGEST_PREFIX = 40;
    private static final int DIGITS = 8;

    private final Watched watched;
    private final Policies policies;
    private final Versions versions;
    private final Unrest unrest;
    private final PodProcesses processes;
    private final ModelOwners owners;
    private final FirstVersions firsts;
    private final Cluster cluster;
    private final DatabaseClock clock;

    FirstSnapshots(
            Watched watched,
            Policies policies,
            Versions versions,
            Unrest unrest,
            PodProcesses processes,
            ModelOwners owners,
            FirstVersions firsts,
            Cluster cluster,
            DatabaseClock clock) {
        this.watched = watched;
        this.policies = policies;
        this.versions = versions;
        this.unrest = unrest;
        this.processes = processes;
        this.owners = owners;
        this.firsts = firsts;
        this.cluster = cluster;
        this.clock = clock;
    }

    /** Asks for one, or says when to look again. */
    Optional<Duration> consider(Pod pod) {
        Optional<SnapshotPolicy> found = policies.of(pod)
                .filter(one -> !Boolean.TRUE.equals(one.getSpec().suspended()));
        if (found.isEmpty() || found.get().getMetadata().getDeletionTimestamp() != null) {
            return Optional.empty();
        }
        SnapshotPolicy policy = found.get();
        Optional<Container> container = Policies.container(policy.getSpec(), pod);
        Optional<Instant> warmingSince = warmingSince(policy.getSpec(), pod);
        if (container.isEmpty() || warmingSince.isEmpty() || !Policies.isPrepared(container.get(), pod)) {
            return Optional.empty();
        }
        String version = Policies.version(policy.getSpec(), container.get());
        List<PodSnapshot> ofVersion = watched.podSnapshots(policy).stream()
                .filter(one -> one.getSpec().version().equals(version))
                .toList();
        // most pods end here, and nothing was asked of anybody
        if (ofVersion.stream().anyMatch(one -> !PodSnapshotReconciler.isOver(one)) && !Versions.differs(pod)) {
            return Optional.empty();
        }
        String of = Versions.differs(pod) ? versions.kindOfNode(pod) : "";
        List<PodSnapshot> taken = ofVersion.stream()
                .filter(one -> one.getMetadata().getName().startsWith(prefix(policy, version, of)))
                .toList();
        List<PodSnapshot> failed =
                taken.stream().filter(PodSnapshotReconciler::hasFailed).toList();
        int most = Objects.requireNonNullElse(policy.getSpec().maxAttempts(), SnapshotPolicySpec.DEFAULT_ATTEMPTS);
        if (failed.size() >= most || taken.stream().anyMatch(one -> !PodSnapshotReconciler.isOver(one))) {
            return Optional.empty();
        }
        if (of.isEmpty() && versions.hasSnapshot(policy.getSpec().model(), version)) {
            return Optional.empty();
        }
        if (owners.objection(pod.getMetadata().getNamespace(), policy.getSpec().model())
                .isPresent()) {
            return Optional.empty(); // the policy says so
        }
        Duration left = longer(
                Duration.between(clock.now(), warmingSince.get().plus(warmUp(policy.getSpec()))),
                unrest.left(policy.getSpec(), failed));
        if (left.isPositive()) {
            return Optional.of(left);
        }
        if (processes.running(pod).isEmpty()) {
            // a pod that the webhook never saw may never have one: the others must not wait for it
            return Optional.of(PodSnapshotReconciler.SOON);
        }
        try {
            if (firsts.make(pod.getMetadata().getNamespace(), policy.getSpec().model(), version, container.get())) {
                cluster.create(resource(policy, version, pod, next(prefix(policy, version, of), taken)));
            }
            return Optional.empty();
        } catch (ApiException e) {
            if (e.code() != ErrorCode.NAME_TAKEN) {
                throw e;
            }
            return Optional.of(PodSnapshotReconciler.SOON); // somebody else makes the same: then it is there
        }
    }

    private static Duration longer(Duration one, Duration other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    private static Duration warmUp(SnapshotPolicySpec policy) {
        SnapshotPolicySpec.Readiness readiness = policy.readiness();
        return Duration.ofSeconds(
                readiness == null || readiness.warmUpSeconds() == null
                        ? SnapshotPolicySpec.DEFAULT_WARM_UP_SECONDS
                        : readiness.warmUpSeconds());
    }

    /** Since when all that it takes is True; by the API server's clock, which may be off by less than any warm-up. */
    private static Optional<Instant> warmingSince(SnapshotPolicySpec policy, Pod pod) {
        if (pod.getStatus() == null) {
            return Optional.empty();
        }
        List<String> needed = new ArrayList<>(List.of("Ready"));
        SnapshotPolicySpec.Readiness readiness = policy.readiness();
        if (readiness != null && readiness.conditionTypes() != null) {
            needed.addAll(readiness.conditionTypes());
        }
        Instant since = Instant.EPOCH;
        for (String type : needed) {
            Optional<PodCondition> condition = pod.getStatus().getConditions().stream()
                    .filter(one -> type.equals(one.getType()) && "True".equals(one.getStatus()))
                    .findFirst();
            if (condition.isEmpty()) {
                return Optional.empty();
            }
            String time = condition.get().getLastTransitionTime();
            Instant at = time == null ? Instant.EPOCH : Instant.parse(time);
            since = at.isAfter(since) ? at : since;
        }
        return Optional.of(since);
    }

    /** The same for all pods of a policy, version and kind of node: of two that are warm at once one has its snapshot taken. */
    private static String prefix(SnapshotPolicy policy, String version, String kindOfNode) {
        String whole = policy.getMetadata().getUid() + "/" + version + "/" + kindOfNode;
        String name = policy.getMetadata().getName();
        return name.substring(0, Math.min(LONGEST_PREFIX, name.length())) + "-"
                + UUID.nameUUIDFromBytes(whole.getBytes(StandardCharsets.UTF_8))
                        .toString()
                        .substring(0, DIGITS)
                + "-";
    }

    /** The next number; some of those before may have been deleted. */
    private static String next(String prefix, List<PodSnapshot> taken) {
        int last = taken.stream()
                .map(one -> one.getMetadata().getName().substring(prefix.length()))
                .filter(rest -> rest.matches("[0-9]{1,9}"))
                .mapToInt(Integer::parseInt)
                .max()
                .orElse(0);
        return prefix + (last + 1);
    }

    private static PodSnapshot resource(SnapshotPolicy policy, String version, Pod pod, String name) {
        PodSnapshot resource = new PodSnapshot();
        resource.setMetadata(new ObjectMetaBuilder()
                .withNamespace(pod.getMetadata().getNamespace())
                .withName(name)
                .addToLabels(Map.of("app.kubernetes.io/managed-by", "gpusnap"))
                .addToFinalizers(Crd.FINALIZER)
                .build());
        resource.setSpec(new PodSnapshotSpec(
                new PodSnapshotSpec.Source(
                        pod.getMetadata().getName(), pod.getMetadata().getUid(), null),
                policy.getSpec().model(),
                version,
                policy.getMetadata().getName(),
                policy.getSpec().deletionPolicy()));
        return resource;
    }
}
