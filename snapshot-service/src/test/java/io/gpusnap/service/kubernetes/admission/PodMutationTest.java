package io.gpusnap.service.kubernetes.admission;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.gpusnap.service.kubernetes.KubernetesSettings;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PodMutationTest {
    private static final KubernetesSettings.Webhook SETTINGS = new KubernetesSettings.Webhook(
            true,
            "127.0.0.1",
            0,
            "webhook",
            List.of(),
            "gpusnap",
            "tls",
            Duration.ofDays(90),
            Duration.ofDays(30),
            "/var/lib/gpusnap/lib",
            "/opt/gpusnap",
            Duration.ofMinutes(5));

    private final Pod pod = Kubelet.pod("ns", "one", "llm", "llm@sha256:1");

    private static List<String> apply(Pod pod) {
        return new PodMutation(SETTINGS).apply(pod, true);
    }

    private static Container container(Pod pod) {
        return pod.getSpec().getContainers().getFirst();
    }

    private Pod withAReadOnlyRoot() {
        return new PodBuilder(pod)
                .editSpec()
                .editFirstContainer()
                .withNewSecurityContext()
                .withReadOnlyRootFilesystem(true)
                .endSecurityContext()
                .endContainer()
                .endSpec()
                .build();
    }

    private static @Nullable String socketFolder(Pod pod) {
        return container(pod).getEnv().stream()
                .filter(one -> one.getName().equals("GPUSNAP_SOCKET_DIR"))
                .map(EnvVar::getValue)
                .findFirst()
                .orElse(null);
    }

    @Test
    void aPodWaitsForItsPlaceAndForItsStart() {
        apply(pod);

        assertThat(pod.getSpec().getSchedulingGates())
                .singleElement()
                .satisfies(gate -> assertThat(gate.getName()).isEqualTo(PodNames.GATE));
        assertThat(pod.getSpec().getReadinessGates())
                .singleElement()
                .satisfies(gate -> assertThat(gate.getConditionType()).isEqualTo(PodNames.STARTED));
        assertThat(pod.getMetadata().getAnnotations()).containsKey(PodNames.WAITS);
    }

    @Test
    void whereTheRootIsReadOnlyThePreloadGetsAFolderForItsSocket() {
        Pod readOnly = withAReadOnlyRoot();

        apply(readOnly);

        String folder = socketFolder(readOnly);
        assertThat(folder).isEqualTo("/opt/gpusnap-sockets");
        VolumeMount mount = container(readOnly).getVolumeMounts().stream()
                .filter(one -> one.getMountPath().equals(folder))
                .findFirst()
                .orElseThrow();
        assertThat(mount.getReadOnly()).isNotEqualTo(true);
        assertThat(readOnly.getSpec().getVolumes())
                .filteredOn(one -> one.getName().equals(mount.getName()))
                .singleElement()
                .satisfies(one -> assertThat(one.getEmptyDir()).isNotNull());
    }

    @Test
    void whereTheRootIsWritableOrTheOwnerHasNamedAFolderNothingIsMountedForIt() {
        Pod named = withAReadOnlyRoot();
        container(named).setEnv(List.of(new EnvVar("GPUSNAP_SOCKET_DIR", "/run/mine", null)));

        apply(pod);
        apply(named);

        assertThat(socketFolder(pod)).isNull();
        assertThat(socketFolder(named)).isEqualTo("/run/mine");
        assertThat(List.of(pod, named))
                .allSatisfy(one -> assertThat(one.getSpec().getVolumes()).hasSize(1));
    }

    private static Stream<Arguments> podsThatNothingCanBeThawedInto() {
        return Stream.of(
                of("shareProcessNamespace: true", spec -> spec.setShareProcessNamespace(true)),
                of("hostPID: true", spec -> spec.setHostPID(true)),
                of("hostUsers: false", spec -> spec.setHostUsers(false)));
    }

    private static Arguments of(String what, Consumer<PodSpec> change) {
        return Arguments.of(what, change);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("podsThatNothingCanBeThawedInto")
    void whatCannotBeThawedIntoWaitsForNothingAndItsOwnerIsTold(String what, Consumer<PodSpec> change) {
        change.accept(pod.getSpec());

        List<String> warnings = apply(pod);

        assertThat(warnings).singleElement().asString().contains(what).endsWith("the pod starts cold");
        assertThat(container(pod).getCommand()).containsExactly("cuda-server");
        assertThat(pod.getSpec().getSchedulingGates()).isEmpty();
        assertThat(pod.getSpec().getReadinessGates()).isEmpty();
        assertThat(pod.getMetadata().getAnnotations()).doesNotContainKey(PodNames.WAITS);
    }

    @Test
    void aPodWhoseNodeIsNamedIsNotGatedAndWaitsAllTheSame() {
        Pod named =
                new PodBuilder(pod).editSpec().withNodeName("node-1").endSpec().build();

        assertThat(apply(named)).isEmpty();

        assertThat(named.getSpec().getSchedulingGates()).isEmpty();
        assertThat(container(named).getCommand())
                .containsExactly("/opt/gpusnap/gpusnap-placeholder", "--", "cuda-server");
        assertThat(named.getMetadata().getAnnotations()).containsEntry(PodNames.WAITS, "server");
    }
}
