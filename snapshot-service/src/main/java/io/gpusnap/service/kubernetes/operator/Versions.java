package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Which snapshots of a version there are, and on which kind of node a pod is. */
@KubernetesComponent
class Versions {
    /** A pod that started cold for one of these is on a node of another kind than all snapshots. */
    private static final Set<String> OTHER_KIND =
            Set.of(ErrorCode.DRIVER_MISMATCH.name(), ErrorCode.GPU_MISMATCH.name(), ErrorCode.INCOMPATIBLE.name());

    private final Snapshots snapshots;
    private final Nodes nodes;

    Versions(Snapshots snapshots, Nodes nodes) {
        this.snapshots = snapshots;
        this.nodes = nodes;
    }

    /** Whether there is one, or will be. */
    boolean hasSnapshot(String model, String version) {
        return Stream.of(SnapshotState.READY, SnapshotState.CREATING)
                .anyMatch(state -> !snapshots
                        .list(new Snapshots.Filter(model, version, state), PageQuery.of("snapshots", 1, null))
                        .items()
                        .isEmpty());
    }

    /** Whether the pod started cold since its node is of another kind than those of all snapshots. It says so itself. */
    static boolean differs(Pod pod) {
        Map<String, String> annotations = pod.getMetadata().getAnnotations();
        String why = annotations.getOrDefault(PodNames.REASON, "");
        return "COLD".equals(annotations.get(PodNames.START))
                && OTHER_KIND.stream().anyMatch(code -> why.startsWith(code + ": "));
    }

    /** What distinguishes it; empty for a node that no daemon speaks of. */
    String kindOfNode(Pod pod) {
        String name = pod.getSpec().getNodeName();
        return name == null
                ? ""
                : nodes.named(name)
                        .map(node -> node.inventory().driverBuild() + " "
                                + node.inventory().architecture() + " "
                                + node.inventory().gpus().stream()
                                        .map(Inventory.Gpu::name)
                                        .toList())
                        .orElse("");
    }
}
