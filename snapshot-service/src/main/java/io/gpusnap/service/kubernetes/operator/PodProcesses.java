package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.workload.Workload;
import io.gpusnap.service.workload.WorkloadState;
import io.gpusnap.service.workload.Workloads;
import java.util.Comparator;
import java.util.Optional;

/** Processes of pods. The webhook has daemons report them under the pod's uid: a pod that it never saw has none. */
@KubernetesComponent
class PodProcesses {
    private final Workloads workloads;

    PodProcesses(Workloads workloads) {
        this.workloads = workloads;
    }

    /** The one that can be frozen; of several the one with the most device memory. */
    Optional<Workload> running(Pod pod) {
        return workloads
                .list(
                        null,
                        pod.getMetadata().getUid(),
                        WorkloadState.RUNNING,
                        PageQuery.of("workloads", PageQuery.MAX_SIZE, null))
                .items()
                .stream()
                .max(Comparator.comparingLong(Workload::managedBytes));
    }
}
