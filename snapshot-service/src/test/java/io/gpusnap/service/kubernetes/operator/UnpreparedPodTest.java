package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** Pods that the webhook never saw, or prepared another container of, are not frozen and keep no other from it. */
@KubernetesTest
class UnpreparedPodTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    @Autowired
    private InstalledWebhook webhook;

    private Given given;

    @BeforeEach
    void givenANamespace() {
        given = new Given(api);
    }

    /** It is ready, and no daemon says anything of it. */
    private Pod readyWithoutAProcess(String name, SimulatedNode node) {
        Pod pod = given.client
                .resource(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                .create();
        given.kubelet.bind(name, node.name());
        given.kubelet.running(name, true);
        return pod;
    }

    @Test
    void aPodWithoutAProcessIsNotAskedForAndTheNextOneThatHasOneIs() {
        given.policy("llm", given.spec());
        SimulatedNode node = given.node(DRIVER);

        // given two that are warm, of which their node reports no process
        Pod never = readyWithoutAProcess("never", node);
        Pod late = readyWithoutAProcess("late", node);
        // given a process of another node that says it is one of theirs
        given.reports(given.node(DRIVER), DRIVER, never);
        soon().until(operator::idle);
        assertThat(given.podSnapshots()).isEmpty();

        // when the daemon finds one's process, then that one is frozen, though nothing of the pod has changed
        given.reports(node, DRIVER, late);
        given.saves(node);

        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(given.podSnapshot())).isTrue());
        assertThat(given.podSnapshot().getSpec().source().podName()).isEqualTo("late");
    }

    private SnapshotPolicySpec ofContainerServer() {
        SnapshotPolicySpec plain = given.spec();
        return new SnapshotPolicySpec(
                plain.selector(),
                plain.model(),
                plain.version(),
                "server",
                null,
                plain.readiness(),
                null,
                null,
                null,
                null,
                null,
                plain.deletionPolicy(),
                plain.maxAttempts(),
                null);
    }

    /** A proxy comes before the server. */
    private Pod withASidecarFirst(String name) {
        return new PodBuilder(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                .editSpec()
                .addToContainers(
                        0,
                        new ContainerBuilder()
                                .withName("proxy")
                                .withImage("proxy:1")
                                .withCommand("proxy")
                                .build())
                .endSpec()
                .build();
    }

    @Test
    void aPodWhoseOtherContainerWaitsStartsColdSaysHowToMendItAndIsNotFrozen() {
        webhook.install();
        given.policy("llm", ofContainerServer());
        SimulatedNode node = given.node(DRIVER);
        soon().until(operator::idle);

        // when only the policy names the container
        Pod pod = given.kubelet.submit(withASidecarFirst("unnamed"));

        // then nothing is thawed into the sidecar
        assertThat(pod.getMetadata().getAnnotations()).containsEntry(PodNames.WAITS, "proxy");
        soon().untilAsserted(() -> assertThat(
                        given.kubelet.get("unnamed").getMetadata().getAnnotations())
                .containsEntry(PodNames.START, "COLD")
                .hasEntrySatisfying(PodNames.REASON, why -> assertThat(why).contains("gpusnap.io/container: server")));

        // nor is its process frozen as if it were the server's
        given.reports(node, DRIVER, pod);
        given.kubelet.bind("unnamed", node.name());
        soon().until(() -> PodPatches.hasStarted(given.kubelet.get("unnamed")));
        given.kubelet.running("unnamed", true);
        soon().until(operator::idle);
        assertThat(given.podSnapshots()).isEmpty();

        // when the pod names it as well, then it is
        Pod named = given.kubelet.submit(new PodBuilder(withASidecarFirst("named"))
                .editMetadata()
                .addToAnnotations(PodNames.CONTAINER, "server")
                .endMetadata()
                .build());
        assertThat(named.getMetadata().getAnnotations()).containsEntry(PodNames.WAITS, "server");
        soon().until(() -> PodPatches.hasStarted(given.kubelet.get("named")));
        given.reports(node, DRIVER, named);
        given.kubelet.bind("named", node.name());
        given.kubelet.running("named", true);
        soon().untilAsserted(() ->
                assertThat(given.podSnapshot().getSpec().source().podName()).isEqualTo("named"));
    }
}
