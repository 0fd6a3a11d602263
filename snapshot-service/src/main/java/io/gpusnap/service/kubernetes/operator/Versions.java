package io.gpusnap.service.kubernetes.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.KubernetesComponent;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.model.Models;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.platform.page.PageQuery;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;
import io.gpusnap.service.snapshot.SnapshotState;
import io.gpusnap.service.snapshot.Snapshots;
import io.gpusnap.service.version.ModelVersions;
import io.gpusnap.service.version.VersionFacts;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/** Models, versions and snapshots of the catalogue, as pods need them. */
@KubernetesComponent
class Versions {
    /** A pod that started cold for one of these is on a node of another kind than all snapshots. */
    private static final Set<String> OTHER_KIND =
            Set.of(ErrorCode.DRIVER_MISMATCH.name(), ErrorCode.GPU_MISMATCH.name(), ErrorCode.INCOMPATIBLE.name());

    private final Models models;
    private final ModelVersions versions;
    private final Snapshots snapshots;
    private final Nodes nodes;

    Versions(Models models, ModelVersions versions, Snapshots snapshots, Nodes nodes) {
        this.models = models;
        this.versions = versions;
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

    /** Makes model and version if they are not there. */
    void ensure(String model, String version, Container container) {
        unlessTaken(() -> models.create(model, "", Map.of()), () -> models.get(model));
        if (versions.find(model, version).isEmpty()) {
            List<String> arguments = new ArrayList<>(container.getCommand());
            arguments.addAll(container.getArgs());
            VersionFacts facts =
                    new VersionFacts(container.getImage(), arguments, null, null, null, null, null, Map.of());
            unlessTaken(() -> versions.create(model, version, null, facts), () -> versions.get(model, version));
        }
    }

    /** Reads it first: most of the time it is there; and of two who make it, one is told that the name is taken. */
    private static void unlessTaken(Runnable create, Runnable read) {
        try {
            read.run();
        } catch (ApiException missing) {
            try {
                create.run();
            } catch (ApiException e) {
                if (e.code() != ErrorCode.NAME_TAKEN) {
                    throw e;
                }
            }
        }
    }
}
