package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Affinity;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodSchedulingGate;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTerm;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTermBuilder;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.cluster.Cluster;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.start.Start;
import io.gpusnap.service.platform.transaction.DatabaseClock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What the operator changes of pods: gate, place, annotations, condition; and what it tells in events. */
@KubernetesComponent
class PodPatches {
    private static final int MOST_WEIGHT = 100;

    private final Cluster cluster;
    private final DatabaseClock clock;

    PodPatches(Cluster cluster, DatabaseClock clock) {
        this.cluster = cluster;
        this.clock = clock;
    }

    static boolean isGated(Pod pod) {
        return pod.getSpec().getSchedulingGates().stream().anyMatch(gate -> PodNames.GATE.equals(gate.getName()));
    }

    /** Whether its condition says so. */
    static boolean hasStarted(Pod pod) {
        return condition(pod).filter(one -> "True".equals(one.getStatus())).isPresent();
    }

    /** There if it fits in, and now. */
    void place(Pod pod, String node) {
        Pod wanted = Resources.copy(pod);
        open(wanted);
        drawTo(wanted, node);
        wanted.getMetadata().getAnnotations().put(PodNames.START, "RESTORE");
        cluster.patch(pod, wanted);
        cluster.event(
                pod,
                Cluster.EventType.NORMAL,
                "SnapshotFound",
                "Starts from a snapshot on node " + node + ".",
                clock.now());
    }

    /** Somebody thaws into its container: if that starts anew nobody does, and it would wait in vain. */
    Pod waitsNoMore(Pod pod) {
        Pod wanted = Resources.copy(pod);
        waitNoMore(wanted);
        return cluster.patch(pod, wanted);
    }

    /** Its process is back. */
    void restored(Pod pod) {
        tell(waitsNoMore(pod), "Restored", "Its process was thawed from a snapshot.");
        cluster.event(
                pod, Cluster.EventType.NORMAL, "Restored", "Its process was thawed from a snapshot.", clock.now());
    }

    /** The container's own command starts: at once if it has not begun to wait, else when its placeholder is told or tired. */
    void cold(Pod pod, Start start) {
        String why = start.code().orElse("UNKNOWN") + ": " + start.reason().orElse("");
        Pod wanted = Resources.copy(pod);
        open(wanted);
        wanted.getMetadata().getAnnotations().put(PodNames.START, "COLD");
        wanted.getMetadata().getAnnotations().put(PodNames.REASON, why);
        waitNoMore(wanted);
        tell(cluster.patch(pod, wanted), "ColdStart", why);
        cluster.event(pod, Cluster.EventType.WARNING, "ColdStart", why, clock.now());
    }

    private static void open(Pod pod) {
        List<PodSchedulingGate> others = pod.getSpec().getSchedulingGates().stream()
                .filter(gate -> !PodNames.GATE.equals(gate.getName()))
                .toList();
        pod.getSpec().setSchedulingGates(new ArrayList<>(others));
    }

    /**
     * Preferred as strongly as can be, and not required: nobody can take a requirement back once the gate is gone, and for a node
     * that is full, tainted or not of the pod's own choice it would wait for ever.
     */
    private static void drawTo(Pod pod, String node) {
        Affinity affinity = Objects.requireNonNullElseGet(pod.getSpec().getAffinity(), Affinity::new);
        NodeAffinity nodes = Objects.requireNonNullElseGet(affinity.getNodeAffinity(), NodeAffinity::new);
        List<PreferredSchedulingTerm> terms =
                new ArrayList<>(nodes.getPreferredDuringSchedulingIgnoredDuringExecution());
        terms.add(new PreferredSchedulingTermBuilder()
                .withWeight(MOST_WEIGHT)
                .withNewPreference()
                .addNewMatchField()
                .withKey("metadata.name")
                .withOperator("In")
                .withValues(node)
                .endMatchField()
                .endPreference()
                .build());
        nodes.setPreferredDuringSchedulingIgnoredDuringExecution(terms);
        affinity.setNodeAffinity(nodes);
        pod.getSpec().setAffinity(affinity);
    }

    private static void waitNoMore(Pod pod) {
        pod.getMetadata().getAnnotations().put(PodNames.PLACEHOLDER_WAIT, "0");
    }

    private static Optional<PodCondition> condition(Pod pod) {
        return pod.getStatus() == null
                ? Optional.empty()
                : pod.getStatus().getConditions().stream()
                        .filter(one -> PodNames.STARTED.equals(one.getType()))
                        .findFirst();
    }

    private void tell(Pod pod, String reason, String message) {
        Instant now = clock.now();
        Pod wanted = Resources.copy(pod);
        PodStatus status = Objects.requireNonNullElseGet(wanted.getStatus(), PodStatus::new);
        List<PodCondition> conditions = new ArrayList<>(status.getConditions());
        conditions.removeIf(one -> PodNames.STARTED.equals(one.getType()));
        conditions.add(new PodConditionBuilder()
                .withType(PodNames.STARTED)
                .withStatus("True")
                .withReason(reason)
                .withMessage(message)
                .withLastTransitionTime(now.truncatedTo(ChronoUnit.SECONDS).toString())
                .build());
        status.setConditions(conditions);
        wanted.setStatus(status);
        cluster.patchStatus(pod, wanted);
    }
}
