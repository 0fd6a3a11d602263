package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.Start;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.ColdStart;
import io.gpusnap.service.restore.Decision;
import io.gpusnap.service.restore.Restores;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * How a pod with a placeholder starts: a node is chosen and its gate removed; once the placeholder waits there, the restore
 * begins; and what comes of it is told. Anything that is not right has the container's own command started, and the pod
 * says why. Every step is a row first and a change of the pod then, and each is done again if the second was lost.
 */
@KubernetesComponent
class PodStarts {
    private final Policies policies;
    private final Starts starts;
    private final PodOrders podOrders;
    private final ThawOrders orders;
    private final Restores restores;
    private final Nodes nodes;
    private final PodPatches patches;
    private final KubernetesSettings settings;

    PodStarts(
            Policies policies,
            Starts starts,
            PodOrders podOrders,
            ThawOrders orders,
            Restores restores,
            Nodes nodes,
            PodPatches patches,
            KubernetesSettings settings) {
        this.policies = policies;
        this.starts = starts;
        this.podOrders = podOrders;
        this.orders = orders;
        this.restores = restores;
        this.nodes = nodes;
        this.patches = patches;
        this.settings = settings;
    }

    /** The pod of that name is gone, or is another one by now. */
    void gone(String namespace, String name, @Nullable UUID now) {
        starts.forgetBut(namespace, name, now).stream()
                .filter(start -> start.phase() == Start.Phase.THAWING)
                .flatMap(start -> start.restore().stream())
                .forEach(orders::cancel);
    }

    /** The next step. Empty when it has started and nothing is left to do; the catalogue's changes bring it back here too. */
    Optional<Duration> advance(Pod pod) {
        if (PodPatches.hasStarted(pod)) {
            return Optional.empty();
        }
        gone(pod.getMetadata().getNamespace(), pod.getMetadata().getName(), uid(pod));
        Optional<Start> known = starts.find(uid(pod));
        if (known.isEmpty()) {
            decide(pod);
            return starts.find(uid(pod)).map(start -> settle(pod, start)).orElse(Optional.empty());
        }
        return settle(pod, known.get());
    }

    private Optional<Duration> settle(Pod pod, Start start) {
        switch (start.phase()) {
            case PLACED -> placed(pod, start);
            case THAWING -> thawing(pod, start);
            case RESTORED -> patches.restored(pod);
            case COLD -> cold(pod, start);
        }
        return Optional.empty();
    }

    private void decide(Pod pod) {
        Starts.PodRef ref = ref(pod);
        Optional<SnapshotPolicy> policy = policies.of(pod);
        if (policy.isEmpty()) {
            starts.cold(ref, "NO_POLICY", "No SnapshotPolicy of the namespace selects the pod.");
            return;
        }
        try {
            Decision decision = restores.preview(podOrders.anywhere(
                            policy.get().getSpec(), pod, onlyNode(pod).orElse(null)))
                    .decision();
            Optional<Decision.Step> step = thaw(decision);
            if (step.isPresent() && pod.getSpec().getNodeName() == null && !PodPatches.isGated(pod)) {
                return; // nothing holds it back: the scheduler chooses, and then it is decided for that node
            }
            if (step.isPresent()) {
                starts.placed(ref, Objects.requireNonNull(step.get().nodeId()));
            } else {
                starts.cold(ref, why(decision), String.join(" ", decision.reasons()));
            }
        } catch (ApiException e) {
            starts.cold(ref, e.code().name(), e.detail());
        }
    }

    private void placed(Pod pod, Start start) {
        NodeId node = start.node().orElseThrow();
        Optional<String> nodeName = nodes.find(node).map(Node::name);
        if (nodeName.isEmpty()) {
            giveUp(pod, start, ErrorCode.NODE_NOT_FOUND.name(), "The chosen node is not there any more.");
            return;
        }
        if (PodPatches.isGated(pod)) {
            patches.place(pod, nodeName.get());
            return;
        }
        String runsOn = pod.getSpec().getNodeName();
        if (runsOn != null && !runsOn.equals(nodeName.get())) {
            elsewhere(pod, start, nodeName.get());
            return;
        }
        Optional<ContainerStatus> waiting = PodOrders.waiting(pod);
        if (runsOn == null || waiting.isEmpty()) {
            return; // its next change brings it back here; until then no placeholder waits
        }
        Optional<SnapshotPolicy> policy = policies.of(pod);
        if (policy.isEmpty()) {
            giveUp(pod, start, "NO_POLICY", "No SnapshotPolicy of the namespace selects the pod any more.");
            return;
        }
        try {
            orders.begin(
                    start,
                    podOrders.into(waiting.get(), policy.get().getSpec(), pod, node),
                    timeoutSeconds(policy.get()));
        } catch (ApiException e) {
            giveUp(pod, start, e.code().name(), e.detail());
        }
    }

    /** The scheduler has put it on another node: it is thawed there, if it can be. */
    private void elsewhere(Pod pod, Start start, String chosen) {
        String moved = "The pod was to run on node " + chosen + " and runs on "
                + pod.getSpec().getNodeName() + ". ";
        Optional<NodeId> node = onlyNode(pod);
        Optional<SnapshotPolicy> policy = policies.of(pod);
        if (node.isEmpty() || policy.isEmpty()) {
            giveUp(pod, start, ErrorCode.NO_NODE.name(), moved + "No daemon is there, or no SnapshotPolicy any more.");
            return;
        }
        try {
            Decision decision = restores.preview(podOrders.anywhere(policy.get().getSpec(), pod, node.get()))
                    .decision();
            if (thaw(decision).isPresent()) {
                starts.moved(start, node.get());
                starts.find(start.podUid()).ifPresent(now -> settle(pod, now));
            } else {
                giveUp(pod, start, why(decision), moved + String.join(" ", decision.reasons()));
            }
        } catch (ApiException e) {
            giveUp(pod, start, e.code().name(), moved + e.detail());
        }
    }

    private static Optional<Decision.Step> thaw(Decision decision) {
        return decision.chain().stream()
                .filter(one -> one.way() == Decision.Way.THAW)
                .findFirst();
    }

    private static String why(Decision decision) {
        return decision.rejected().stream()
                .findFirst()
                .map(one -> one.code().name())
                .orElse(ErrorCode.SNAPSHOT_NOT_READY.name());
    }

    private void thawing(Pod pod, Start start) {
        Restores.View view = restores.get(start.restore().orElseThrow());
        switch (view.state()) {
            case PENDING, RUNNING -> {
                if (start.overdue()) {
                    orders.cancel(view.restore().id());
                    giveUp(pod, start, "TIMED_OUT", "The thaw took longer than the policy allows.");
                } else {
                    patches.waitsNoMore(pod);
                }
            }
            case SUCCEEDED -> {
                starts.restored(start.podUid());
                patches.restored(pod);
            }
            case COLD, FAILED, CANCELLED -> {
                Optional<ColdStart> cold = view.restore().coldStart();
                giveUp(
                        pod,
                        start,
                        cold.map(one -> one.code().name()).orElse(ErrorCode.CANCELLED.name()),
                        cold.map(ColdStart::detail).orElse("The restore was cancelled."));
            }
        }
    }

    private void giveUp(Pod pod, Start start, String code, String reason) {
        starts.gaveUp(start, code, reason);
        starts.find(start.podUid())
                .filter(now -> now.phase() == Start.Phase.COLD)
                .ifPresent(now -> cold(pod, now));
    }

    /** Whoever does not wait yet reads that in the pod; a container that waits is told by its node's daemon. */
    private void cold(Pod pod, Start start) {
        onlyNode(pod)
                .ifPresent(node ->
                        starts.coldOn(start.podUid(), node, settings.webhook().patience()));
        patches.cold(pod, start);
    }

    /** Where there are no scheduling gates the pod is on its node already, or will be on any. */
    private Optional<NodeId> onlyNode(Pod pod) {
        return Optional.ofNullable(pod.getSpec().getNodeName())
                .flatMap(nodes::named)
                .map(Node::id);
    }

    private static int timeoutSeconds(SnapshotPolicy policy) {
        SnapshotPolicySpec.Restore restore = policy.getSpec().restore();
        return restore == null || restore.timeoutSeconds() == null
                ? SnapshotPolicySpec.DEFAULT_RESTORE_SECONDS
                : restore.timeoutSeconds();
    }

    private static Starts.PodRef ref(Pod pod) {
        return new Starts.PodRef(
                uid(pod), pod.getMetadata().getNamespace(), pod.getMetadata().getName());
    }

    private static UUID uid(Pod pod) {
        return UUID.fromString(pod.getMetadata().getUid());
    }
}
