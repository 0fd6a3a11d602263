package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.operation.OperationSpec.ContainerTarget;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.restore.Order;
import io.gpusnap.service.restore.gate.Constraints;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What is ordered for a pod: what its own annotations, its policy and its container say that it starts from. */
@KubernetesComponent
class PodOrders {
    private final Watched watched;
    private final ModelOwners owners;

    PodOrders(Watched watched, ModelOwners owners) {
        this.watched = watched;
        this.owners = owners;
    }

    /**
     * To ask where it could come back: no container of it is known yet.
     *
     * @param node the only one that it may come back on; null: any
     * @throws ApiException INVALID_REQUEST if the policy's container is not the one that waits; FORBIDDEN if the model is another
     *     namespace's; SNAPSHOT_NOT_FOUND
     */
    Order anywhere(SnapshotPolicySpec policy, Pod pod, @Nullable NodeId node) {
        return order(policy, pod, node, new ContainerTarget(pod.getMetadata().getUid(), ""));
    }

    /**
     * Into its container, which waits.
     *
     * @throws ApiException as {@link #anywhere}
     */
    Order into(ContainerStatus waiting, SnapshotPolicySpec policy, Pod pod, NodeId node) {
        // a pod's status names the runtime before the id, the daemon does not want to know it
        String id = waiting.getContainerID();
        int scheme = id.indexOf("://");
        return order(
                policy,
                pod,
                node,
                new ContainerTarget(pod.getMetadata().getUid(), id.substring(scheme < 0 ? 0 : scheme + 3)));
    }

    /** The container whose placeholder runs. */
    static Optional<ContainerStatus> waiting(Pod pod) {
        String name = waitingName(pod);
        return pod.getStatus() == null
                ? Optional.empty()
                : pod.getStatus().getContainerStatuses().stream()
                        .filter(one -> name.equals(one.getName())
                                && one.getContainerID() != null
                                && one.getState() != null
                                && one.getState().getRunning() != null)
                        .findFirst();
    }

    private static String waitingName(Pod pod) {
        return Objects.requireNonNull(pod.getMetadata().getAnnotations().get(PodNames.WAITS));
    }

    private Order order(SnapshotPolicySpec policy, Pod pod, @Nullable NodeId node, ContainerTarget target) {
        owners.objection(pod.getMetadata().getNamespace(), policy.model()).ifPresent(why -> {
            throw new ApiException(ErrorCode.FORBIDDEN, why);
        });
        Container container = Policies.container(policy, pod)
                .orElseThrow(() -> new ApiException(ErrorCode.INVALID_REQUEST, "The pod has no such container."));
        if (!container.getName().equals(waitingName(pod))) {
            throw new ApiException(
                    ErrorCode.INVALID_REQUEST,
                    "The policy's container is " + container.getName() + ", and " + waitingName(pod)
                            + " is the one that waits: annotate the pod with " + PodNames.CONTAINER + ": "
                            + container.getName() + ".");
        }
        return new Order(
                wish(policy, pod, container),
                new Constraints(
                        node == null ? null : List.of(node),
                        null,
                        Policies.pinnedImage(container).orElse(null),
                        null),
                pod.getMetadata().getNamespace() + "/" + pod.getMetadata().getName(),
                true,
                null,
                target);
    }

    private Order.Wish wish(SnapshotPolicySpec policy, Pod pod, Container container) {
        String from = pod.getMetadata().getAnnotations().get(PodNames.RESTORE_FROM);
        if (from != null) {
            return new Order.ThatSnapshot(snapshotOf(policy, pod, from));
        }
        String alias = pod.getMetadata().getAnnotations().get(PodNames.ALIAS);
        return alias != null
                ? new Order.AliasOf(policy.model(), alias)
                : new Order.VersionOf(policy.model(), Policies.version(policy, container));
    }

    /** Of the policy's model, since it is that model's owner who was asked whether the pod may have to do with it. */
    private SnapshotId snapshotOf(SnapshotPolicySpec policy, Pod pod, String name) {
        Optional<PodSnapshot> found = watched.podSnapshot(
                new Key(Key.Kind.POD_SNAPSHOT, pod.getMetadata().getNamespace(), name));
        found.map(one -> one.getSpec().model())
                .filter(model -> !model.equals(policy.model()))
                .ifPresent(model -> {
                    throw new ApiException(
                            ErrorCode.INVALID_REQUEST,
                            "PodSnapshot " + name + " is of model " + model + ", and the policy of model "
                                    + policy.model() + ".");
                });
        return found.map(PodSnapshot::getStatus)
                .flatMap(status -> Optional.ofNullable(status.snapshotId()))
                .map(SnapshotId::of)
                .orElseThrow(() ->
                        new ApiException(ErrorCode.SNAPSHOT_NOT_FOUND, "PodSnapshot " + name + " has no snapshot."));
    }
}
