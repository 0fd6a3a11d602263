package io.gpusnap.service.kubernetes.admission;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodReadinessGate;
import io.fabric8.kubernetes.api.model.PodSchedulingGate;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.start.PodNames;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * What is added to a pod that wants to be looked after: the preload library, so that a snapshot can be taken of it; and if
 * its container says what it starts and can be thawed into, the placeholder in front of that and, while its node is not
 * chosen, a gate, so that it can start from one.
 */
final class PodMutation {
    private static final String VOLUME = "gpusnap";
    private static final String SOCKETS = "gpusnap-sockets";
    private static final String PRELOAD = "LD_PRELOAD";

    private final KubernetesSettings.Webhook settings;

    PodMutation(KubernetesSettings.Webhook settings) {
        this.settings = settings;
    }

    /**
     * Changes the pod.
     *
     * @param gate whether somebody is there who will open the gate
     * @return what the pod's owner should know; empty if all was done
     */
    List<String> apply(Pod pod, boolean gate) {
        Map<String, String> annotations =
                new HashMap<>(Objects.requireNonNullElse(pod.getMetadata().getAnnotations(), Map.of()));
        Optional<Container> found = container(pod, annotations.get(PodNames.CONTAINER));
        if (found.isEmpty()) {
            return List.of(
                    "gpusnap: the pod has no container " + annotations.get(PodNames.CONTAINER) + "; it is left alone");
        }
        Container container = found.get();
        if (annotations.containsKey(PodNames.WAITS) || hasVolume(pod)) {
            return List.of(); // looked at before
        }
        preload(pod, container);
        sockets(pod, container);
        Optional<String> cold = whyCold(pod, container, gate);
        if (cold.isEmpty()) {
            placeholder(container);
            annotations.put(PodNames.WAITS, container.getName());
            annotations.put(
                    PodNames.PLACEHOLDER_WAIT, Long.toString(settings.patience().toSeconds()));
            // an API server refuses a gate where there is nothing to schedule
            if (pod.getSpec().getNodeName() == null) {
                pod.getSpec()
                        .setSchedulingGates(
                                with(pod.getSpec().getSchedulingGates(), new PodSchedulingGate(PodNames.GATE)));
            }
            pod.getSpec()
                    .setReadinessGates(with(pod.getSpec().getReadinessGates(), new PodReadinessGate(PodNames.STARTED)));
        }
        pod.getMetadata().setAnnotations(annotations);
        return cold.map(why -> "gpusnap: " + why + ": the pod starts cold").stream()
                .toList();
    }

    /** Nothing is waited for that cannot come. */
    private static Optional<String> whyCold(Pod pod, Container container, boolean gate) {
        PodSpec spec = pod.getSpec();
        String why = null;
        if (container.getCommand().isEmpty()) {
            why = "container " + container.getName() + " names no command, so nothing can stand in for it";
        } else if (!gate) {
            why = "the operator does not run";
        } else if (Boolean.TRUE.equals(spec.getShareProcessNamespace())) {
            why = "with shareProcessNamespace: true the container has no process 1 of its own to thaw into";
        } else if (Boolean.TRUE.equals(spec.getHostPID())) {
            why = "with hostPID: true the container has no process ids of its own to thaw into";
        } else if (Boolean.FALSE.equals(spec.getHostUsers())) {
            why = "with hostUsers: false the container is in a user namespace, which nothing is thawed into";
        }
        return Optional.ofNullable(why);
    }

    private void preload(Pod pod, Container container) {
        pod.getSpec()
                .setVolumes(with(
                        pod.getSpec().getVolumes(),
                        new VolumeBuilder()
                                .withName(VOLUME)
                                .withNewHostPath()
                                .withPath(settings.hostFolder())
                                .withType("Directory")
                                .endHostPath()
                                .build()));
        container.setVolumeMounts(with(
                container.getVolumeMounts(),
                new VolumeMountBuilder()
                        .withName(VOLUME)
                        .withMountPath(settings.mountPath())
                        .withReadOnly(true)
                        .build()));
        String library = settings.mountPath() + "/libgpusnap-preload.so";
        List<EnvVar> environment = new ArrayList<>();
        String others = "";
        for (EnvVar variable : container.getEnv()) {
            if (PRELOAD.equals(variable.getName())) {
                others = variable.getValue() == null ? "" : ":" + variable.getValue();
            } else if (!PodNames.WORKLOAD_VARIABLE.equals(variable.getName())) {
                environment.add(variable);
            }
        }
        environment.add(new EnvVarBuilder()
                .withName(PRELOAD)
                .withValue(library + others)
                .build());
        environment.add(fromField(PodNames.WORKLOAD_VARIABLE, "metadata.uid"));
        container.setEnv(environment);
    }

    /** The library has to make its socket somewhere; an owner who says where has seen to it. */
    private void sockets(Pod pod, Container container) {
        boolean readOnly = container.getSecurityContext() != null
                && Boolean.TRUE.equals(container.getSecurityContext().getReadOnlyRootFilesystem());
        if (!readOnly || container.getEnv().stream().anyMatch(one -> PodNames.SOCKET_VARIABLE.equals(one.getName()))) {
            return;
        }
        String folder = settings.mountPath() + "-sockets";
        pod.getSpec()
                .setVolumes(with(
                        pod.getSpec().getVolumes(),
                        new VolumeBuilder()
                                .withName(SOCKETS)
                                .withNewEmptyDir()
                                .endEmptyDir()
                                .build()));
        container.setVolumeMounts(with(
                container.getVolumeMounts(),
                new VolumeMountBuilder().withName(SOCKETS).withMountPath(folder).build()));
        container.setEnv(with(
                container.getEnv(),
                new EnvVarBuilder()
                        .withName(PodNames.SOCKET_VARIABLE)
                        .withValue(folder)
                        .build()));
    }

    private void placeholder(Container container) {
        List<String> command = new ArrayList<>(List.of(settings.mountPath() + "/gpusnap-placeholder", "--"));
        command.addAll(container.getCommand());
        container.setCommand(command);
        container.setEnv(with(
                container.getEnv(),
                fromField(PodNames.WAIT_VARIABLE, "metadata.annotations['" + PodNames.PLACEHOLDER_WAIT + "']")));
    }

    private static EnvVar fromField(String name, String path) {
        return new EnvVarBuilder()
                .withName(name)
                .withNewValueFrom()
                .withNewFieldRef()
                .withFieldPath(path)
                .endFieldRef()
                .endValueFrom()
                .build();
    }

    private static boolean hasVolume(Pod pod) {
        return pod.getSpec().getVolumes().stream().anyMatch(volume -> VOLUME.equals(volume.getName()));
    }

    private static Optional<Container> container(Pod pod, @org.jspecify.annotations.Nullable String name) {
        return pod.getSpec().getContainers().stream()
                .filter(one -> name == null || name.equals(one.getName()))
                .findFirst();
    }

    private static <T> List<T> with(List<T> list, T added) {
        List<T> all = new ArrayList<>(list);
        all.add(added);
        return all;
    }
}
