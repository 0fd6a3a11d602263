package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Has ReplicaSets that are scaled down keep the pods that are placed best. Only pods of one set are compared, so where all of
 * them stand alike nothing is written.
 */
@KubernetesComponent
class DeletionCosts implements Reconciler {
    private static final int MOST_WRITES_A_LOOK = 50;

    private final Watched watched;
    private final Policies policies;
    private final Placements placements;
    private final Cluster cluster;
    private final StandingHistory history = new StandingHistory();

    DeletionCosts(Watched watched, Policies policies, Placements placements, Cluster cluster) {
        this.watched = watched;
        this.policies = policies;
        this.placements = placements;
        this.cluster = cluster;
    }

    private record Replica(Pod pod, String set, Placements.Place place, Standing written) {
        String uid() {
            return pod.getMetadata().getUid();
        }
    }

    private record Write(Replica replica, Standing standing) {}

    @Override
    public Key.Kind kind() {
        return Key.Kind.PLACEMENT;
    }

    @Override
    public Optional<Duration> reconcile(Key key) {
        List<Replica> replicas = replicas();
        Map<Placements.Place, Standing> standings = replicas.isEmpty()
                ? Map.of()
                : placements.of(replicas.stream().map(Replica::place).toList());
        history.look(replicas.stream()
                .collect(Collectors.toMap(Replica::uid, one -> standings.getOrDefault(one.place(), Standing.BARE))));
        replicas.stream().collect(Collectors.groupingBy(Replica::set)).values().stream()
                .flatMap(set -> writes(set).stream())
                .sorted(Comparator.comparing(Write::standing))
                .limit(MOST_WRITES_A_LOOK)
                .forEach(this::write);
        return Optional.empty();
    }

    /** A pod whose standing does not count yet neither gets a cost nor makes others get one. */
    private List<Write> writes(List<Replica> set) {
        List<Write> wanted = set.stream()
                .flatMap(one -> history.of(one.uid()).stream().map(standing -> new Write(one, standing)))
                .toList();
        boolean alike = wanted.stream().map(Write::standing).distinct().count() < 2;
        boolean silent = set.stream().noneMatch(one -> Standing.isWritten(one.pod()));
        return alike && silent
                ? List.of()
                : wanted.stream()
                        .filter(one -> one.standing() != one.replica().written())
                        .toList();
    }

    private void write(Write write) {
        Pod pod = write.replica().pod();
        try {
            cluster.patch(pod, write.standing().writtenTo(pod));
        } catch (KubernetesClientException e) {
            // the next look sees it as it is
            if (!Cluster.lostRace(e)) {
                throw e;
            }
        }
    }

    /** Pods on nodes, of sets that have several; without those whose cost somebody else has set. */
    private List<Replica> replicas() {
        Map<String, List<Pod>> sets = new LinkedHashMap<>();
        for (Pod pod : watched.pods()) {
            if (pod.getSpec().getNodeName() != null && pod.getMetadata().getDeletionTimestamp() == null) {
                Resources.controller(pod)
                        .filter(owner -> "ReplicaSet".equals(owner.getKind()))
                        .map(OwnerReference::getUid)
                        .ifPresent(set -> sets.computeIfAbsent(set, none -> new ArrayList<>())
                                .add(pod));
            }
        }
        List<Replica> replicas = new ArrayList<>();
        sets.forEach((set, pods) -> {
            if (pods.size() > 1) {
                replicas.addAll(replicas(set, pods));
            }
        });
        return replicas;
    }

    /** A set's pods are made from one template, so they are under one policy and of one version. */
    private List<Replica> replicas(String set, List<Pod> pods) {
        Optional<SnapshotPolicy> policy = policies.of(pods.getFirst());
        Optional<String> version = policy.flatMap(one -> Policies.container(one.getSpec(), pods.getFirst())
                .map(container -> Policies.version(one.getSpec(), container)));
        if (policy.isEmpty() || version.isEmpty()) {
            return List.of();
        }
        String model = policy.get().getSpec().model();
        return pods.stream()
                .flatMap(pod -> Standing.written(pod).stream()
                        .map(written -> new Replica(
                                pod,
                                set,
                                new Placements.Place(pod.getSpec().getNodeName(), model, version.get()),
                                written)))
                .toList();
    }
}
