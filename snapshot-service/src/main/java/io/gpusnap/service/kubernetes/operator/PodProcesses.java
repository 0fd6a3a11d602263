package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.node.Node;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.WorkloadState;
import io.gpusnap.service.workload.Workloads;
import java.util.Comparator;
import java.util.Optional;

/**
 * Processes of pods. The webhook has daemons report them under the pod's uid: a pod that it never saw has none. Each daemon looks at control
 * groups before it names a pod, and is asked only for pods of its node: whoever writes another pod's uid is not taken for it.
 */
@KubernetesComponent
class PodProcesses {
    private final Workloads workloads;
    private final Nodes nodes;

    PodProcesses(Workloads workloads, Nodes nodes) {
        this.workloads = workloads;
        this.nodes = nodes;
    }

    /** The one on the pod's node that can be frozen; of several the one with the most device memory. */
    Optional<Workload> running(Pod pod) {
        return Optional.ofNullable(pod.getSpec().getNodeName())
                .flatMap(nodes::named)
                .map(Node::id)
                .flatMap(node -> workloads
                        .list(
                                node,
                                pod.getMetadata().getUid(),
                                WorkloadState.RUNNING,
                                PageQuery.of("workloads", PageQuery.MAX_SIZE, null))
                        .items()
                        .stream()
                        .max(Comparator.comparingLong(Workload::managedBytes)));
    }
}
