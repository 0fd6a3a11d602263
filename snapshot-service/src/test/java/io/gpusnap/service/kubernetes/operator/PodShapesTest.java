package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodAntiAffinity;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PreferredSchedulingTerm;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** Pods are not all alike: what is not ours of them is left as it is, and what is thawed goes where it belongs. */
@KubernetesTest
class PodShapesTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    private Given given;
    private SimulatedNode node;
    private String snapshot;

    @BeforeEach
    void givenASnapshot() {
        given = new Given(api);
        node = given.node(DRIVER);
        soon().until(operator::idle);
        webhook.install();
        snapshot = given.snapshotReady(node, DRIVER);
    }

    private static Pod pod(String namespace) {
        return Kubelet.pod(namespace, "second", "llm", Given.IMAGE);
    }

    /** One that fetches weights first, and one beside it that sends its logs away and comes first in the list. */
    private Pod withOthersAround() {
        return new PodBuilder(pod(given.namespace))
                .editMetadata()
                .addToAnnotations(PodNames.CONTAINER, "server")
                .endMetadata()
                .editSpec()
                .addNewInitContainer()
                .withName("fetch")
                .withImage("fetch:1")
                .withCommand("fetch")
                .endInitContainer()
                .addToContainers(
                        0,
                        new ContainerBuilder()
                                .withName("logs")
                                .withImage("logs:1")
                                .withCommand("logs")
                                .build())
                .endSpec()
                .build();
    }

    @Test
    void ofSeveralContainersTheOneThatIsNamedIsThawedInto() {
        Pod pod = given.kubelet.submit(withOthersAround());

        // then the others start as their owner wrote it
        assertThat(pod.getSpec().getInitContainers()).singleElement().satisfies(fetch -> {
            assertThat(fetch.getCommand()).containsExactly("fetch");
            assertThat(fetch.getEnv()).isEmpty();
        });
        assertThat(pod.getSpec().getContainers().getFirst().getCommand()).containsExactly("logs");
        assertThat(pod.getSpec().getContainers().get(1).getCommand())
                .containsExactly("/opt/gpusnap/gpusnap-placeholder", "--", "cuda-server");

        // when another one runs first, then nothing begins
        given.gateIsOpen("second");
        given.kubelet.bind("second", node.name());
        given.kubelet.runs("second", "logs", "id-of-logs");
        Given.quiet(operator);
        assertThat(node.poll(0).status()).isEqualTo(204);

        // when the one that waits does, then it is thawed into that one
        given.kubelet.runs("second", "server", "id-of-server");
        JsonNode task = Given.claim(node);
        assertThat(task.at("/thaw/snapshotId").asString()).isEqualTo(snapshot);
        assertThat(task.at("/thaw/container/containerId").asString()).isEqualTo("id-of-server");
        node.thawed(task, 4242, pod.getMetadata().getUid()).expect(204);
        soon().until(() -> PodPatches.hasStarted(given.kubelet.get("second")));
        assertThat(given.kubelet.get("second").getMetadata().getAnnotations())
                .as("why it would have started cold")
                .doesNotContainKey(PodNames.REASON);
    }

    @Test
    void whatAPodItselfPrefersStaysBesideWhatIsPreferredForIt() {
        Pod pod = given.kubelet.submit(new PodBuilder(pod(given.namespace))
                .editSpec()
                .withNewAffinity()
                .withNewNodeAffinity()
                .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                .withWeight(7)
                .withNewPreference()
                .addNewMatchExpression()
                .withKey("pool")
                .withOperator("In")
                .withValues("gpu")
                .endMatchExpression()
                .endPreference()
                .endPreferredDuringSchedulingIgnoredDuringExecution()
                .endNodeAffinity()
                .withNewPodAntiAffinity()
                .addNewRequiredDuringSchedulingIgnoredDuringExecution()
                .withNewLabelSelector()
                .addToMatchLabels("app", "llm")
                .endLabelSelector()
                .withTopologyKey("kubernetes.io/hostname")
                .endRequiredDuringSchedulingIgnoredDuringExecution()
                .endPodAntiAffinity()
                .endAffinity()
                .endSpec()
                .build());
        PodAntiAffinity apart = pod.getSpec().getAffinity().getPodAntiAffinity();
        PreferredSchedulingTerm own = pod.getSpec()
                .getAffinity()
                .getNodeAffinity()
                .getPreferredDuringSchedulingIgnoredDuringExecution()
                .getFirst();

        given.gateIsOpen("second");

        Pod now = given.kubelet.get("second");
        assertThat(now.getSpec().getAffinity().getPodAntiAffinity()).isEqualTo(apart);
        if (!pod.getSpec().getSchedulingGates().isEmpty()) {
            NodeAffinity nodes = now.getSpec().getAffinity().getNodeAffinity();
            assertThat(nodes.getPreferredDuringSchedulingIgnoredDuringExecution())
                    .hasSize(2)
                    .contains(own)
                    .filteredOn(term -> term.getWeight() == 100)
                    .singleElement()
                    .satisfies(ours -> assertThat(ours.getPreference()
                                    .getMatchFields()
                                    .getFirst()
                                    .getValues())
                            .containsExactly(node.name()));
        }
    }

    @Test
    void othersGatesStayClosed() {
        Pod pod = given.kubelet.submit(new PodBuilder(pod(given.namespace))
                .editSpec()
                .addNewSchedulingGate("example.com/quota")
                .endSpec()
                .build());
        boolean gates = !pod.getSpec().getSchedulingGates().isEmpty();

        given.gateIsOpen("second");

        if (gates) {
            assertThat(given.kubelet.get("second").getSpec().getSchedulingGates())
                    .singleElement()
                    .satisfies(gate -> assertThat(gate.getName()).isEqualTo("example.com/quota"));
        }
    }
}
