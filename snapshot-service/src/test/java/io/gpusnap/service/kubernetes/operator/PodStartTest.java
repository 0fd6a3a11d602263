package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NodeSelectorTerm;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** Pods that ask for it start from snapshots, and whatever goes wrong start by themselves and say why. */
@KubernetesTest
class PodStartTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    private Given given;
    private SimulatedNode node;

    @BeforeEach
    void givenASnapshot() {
        given = new Given(api);
        node = given.node(DRIVER);
        soon().until(operator::idle);
        webhook.install();
    }

    private Pod submit(String name) {
        Pod pod = given.kubelet.submit(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE));
        assertThat(given.kubelet.environment(pod, PodNames.WORKLOAD_VARIABLE)).contains("metadata.uid");
        assertThat(pod.getSpec().getContainers().getFirst().getCommand())
                .containsExactly("/opt/gpusnap/gpusnap-placeholder", "--", "cuda-server");
        return pod;
    }

    /** Where the API server knows no gates there is none to open. */
    private void gateIsOpen(String name) {
        soon().untilAsserted(() ->
                assertThat(PodPatches.isGated(given.kubelet.get(name))).isFalse());
    }

    /** Waits until it is cold, and checks that it says so everywhere. */
    private void startsCold(Pod pod, String why) {
        String name = pod.getMetadata().getName();
        soon().untilAsserted(() -> assertThat(given.kubelet.isTrue(given.kubelet.get(name), PodNames.STARTED))
                .isTrue());
        Pod now = given.kubelet.get(name);
        assertThat(PodPatches.isGated(now)).isFalse();
        assertThat(now.getMetadata().getAnnotations())
                .containsEntry(PodNames.START, "COLD")
                .containsEntry(PodNames.PLACEHOLDER_WAIT, "0")
                .hasEntrySatisfying(
                        PodNames.REASON, reason -> assertThat(reason).contains(why));
        soon().untilAsserted(() -> assertThat(given.kubelet.events(pod))
                .filteredOn(event -> event.startsWith("Warning ColdStart: "))
                .singleElement()
                .asString()
                .contains(why));
    }

    @Test
    void aSecondPodIsPlacedThawedAndReady() {
        String snapshot = given.snapshotReady(node, DRIVER);

        // when
        Pod pod = submit("second");
        gateIsOpen("second");

        // then it may run where the snapshot can come back, and nowhere else
        Pod placed = given.kubelet.get("second");
        if (!pod.getSpec().getSchedulingGates().isEmpty()) {
            assertThat(placed.getSpec()
                            .getAffinity()
                            .getNodeAffinity()
                            .getRequiredDuringSchedulingIgnoredDuringExecution()
                            .getNodeSelectorTerms())
                    .flatExtracting(NodeSelectorTerm::getMatchFields)
                    .singleElement()
                    .satisfies(only -> assertThat(only.getValues()).containsExactly(node.name()));
        }
        assertThat(node.poll(0).status())
                .as("nothing is thawed before the placeholder runs")
                .isEqualTo(204);

        // when the placeholder runs, then the daemon is asked to thaw into its container
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);
        JsonNode task = Given.claim(node);
        assertThat(task.path("kind").asString()).isEqualTo("THAW");
        assertThat(task.at("/thaw/snapshotId").asString()).isEqualTo(snapshot);
        assertThat(task.at("/thaw/container/podUid").asString())
                .isEqualTo(pod.getMetadata().getUid());
        assertThat(task.at("/thaw/container/containerId").asString())
                .as("without the runtime's name")
                .isEqualTo(pod.getMetadata().getUid());

        // when it is back, then the pod can become ready
        node.thawed(task, 4242, pod.getMetadata().getUid()).expect(204);
        soon().untilAsserted(() -> assertThat(given.kubelet.isTrue(given.kubelet.get("second"), PodNames.STARTED))
                .isTrue());
        given.kubelet.running("second", true);
        assertThat(given.kubelet.isTrue(given.kubelet.get("second"), "Ready")).isTrue();
        soon().untilAsserted(() ->
                assertThat(given.kubelet.events(pod)).anyMatch(event -> event.startsWith("Normal Restored: ")));
        if (!pod.getSpec().getSchedulingGates().isEmpty()) {
            assertThat(given.kubelet.events(pod)).anyMatch(event -> event.startsWith("Normal SnapshotFound: "));
        }
        assertThat(given.podSnapshots()).as("no other snapshot is wanted of it").hasSize(1);
    }

    @Test
    void aPodWhoseNodeIsNamedIsThawedThere() {
        String snapshot = given.snapshotReady(node, DRIVER);
        Pod named = new PodBuilder(Kubelet.pod(given.namespace, "second", "llm", Given.IMAGE))
                .editSpec()
                .withNodeName(node.name())
                .endSpec()
                .build();

        // when an API server takes it, which it would not with a gate
        Pod pod = given.kubelet.submit(named);
        assertThat(PodPatches.isGated(pod)).isFalse();
        given.kubelet.running("second", false);

        // then
        JsonNode task = Given.claim(node);
        assertThat(task.at("/thaw/snapshotId").asString()).isEqualTo(snapshot);
        node.thawed(task, 4242, pod.getMetadata().getUid()).expect(204);
        soon().untilAsserted(() -> assertThat(given.kubelet.isTrue(given.kubelet.get("second"), PodNames.STARTED))
                .isTrue());
    }

    private String waitSeconds(String name) {
        return given.kubelet.get(name).getMetadata().getAnnotations().get(PodNames.PLACEHOLDER_WAIT);
    }

    @Test
    void aContainerThatStartsAgainWaitsForNobody() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        gateIsOpen("second");
        assertThat(waitSeconds("second")).as("its first container waits").isEqualTo("300");

        // when a thaw has begun, then no other container waits for one
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);
        JsonNode task = Given.claim(node);
        soon().untilAsserted(() -> assertThat(waitSeconds("second")).isEqualTo("0"));

        // and so it stays
        node.thawed(task, 4242, pod.getMetadata().getUid()).expect(204);
        soon().untilAsserted(() -> assertThat(given.kubelet.isTrue(given.kubelet.get("second"), PodNames.STARTED))
                .isTrue());
        given.kubelet.running("second", "another-container", false);
        soon().until(operator::idle);
        assertThat(waitSeconds("second")).isEqualTo("0");
        assertThat(node.poll(0).status()).as("nothing is asked of the node").isEqualTo(204);
    }

    @Test
    void onAnotherDriverAPodStartsColdAndThatKindOfNodeGetsItsOwnSnapshot() {
        given.snapshotReady(node, DRIVER);
        node.heartbeat(Given.inventory("590.9"), List.of(), List.of()).expect(200);

        Pod pod = submit("second");

        startsCold(pod, "DRIVER_MISMATCH");

        // and once it is warm, pods of this kind of node get a snapshot of their own
        given.reports(node, "590.9", pod);
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", true);
        soon().untilAsserted(() -> assertThat(given.podSnapshots()).hasSize(2));
    }

    @Test
    void aDaemonThatCannotThawIntoAContainerIsNeverChosen() {
        given.snapshotReady(node, DRIVER);
        node.heartbeat(Given.olderInventory(DRIVER), List.of(), List.of()).expect(200);

        Pod pod = submit("second");

        startsCold(pod, "CAPABILITY_MISSING: Node " + node.name() + " cannot thaw into a container (container-thaw)");
        assertThat(node.poll(0).status()).as("nothing is asked of it").isEqualTo(204);
    }

    @Test
    void withoutASnapshotAPodStartsCold() {
        given.policy("llm", given.spec());

        startsCold(submit("first"), "NOT_FOUND");
    }

    @Test
    void withoutAPolicyAPodStartsCold() {
        startsCold(submit("first"), "NO_POLICY");
    }

    @Test
    void whenTheThawFailsAPodStartsCold() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        gateIsOpen("second");
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);

        node.fail(Given.claim(node), "CRIU_FAILED").expect(204);

        startsCold(pod, "CRIU_FAILED");
    }

    @Test
    void aThawOfAPodThatIsGoneIsCancelled() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        gateIsOpen("second");
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);
        JsonNode task = Given.claim(node);

        given.client.resource(pod).withGracePeriod(0).delete();

        soon().untilAsserted(() -> assertThat(node.progress(task)
                        .expect(200)
                        .json()
                        .path("cancelRequested")
                        .asBoolean())
                .isTrue());
        node.complete(task, Map.of("outcome", "CANCELLED")).expect(204);
    }

    @Test
    void withTheWebhookDownAPodStartsAsItIs() {
        given.snapshotReady(node, DRIVER);
        webhook.breakIt();

        Pod pod = given.kubelet.submit(Kubelet.pod(given.namespace, "second", "llm", Given.IMAGE));

        assertThat(pod.getSpec().getContainers().getFirst().getCommand()).containsExactly("cuda-server");
        assertThat(pod.getSpec().getSchedulingGates()).isEmpty();
        assertThat(pod.getSpec().getReadinessGates()).isEmpty();
    }

    @Test
    void aContainerWithoutACommandIsLeftToStart() {
        given.policy("llm", given.spec());
        Pod wanted = new PodBuilder(Kubelet.pod(given.namespace, "plain", "llm", Given.IMAGE))
                .editSpec()
                .editFirstContainer()
                .withCommand(List.of())
                .endContainer()
                .endSpec()
                .build();

        Pod pod = given.kubelet.submit(wanted);

        assertThat(given.kubelet.environment(pod, "LD_PRELOAD")).contains("/opt/gpusnap/libgpusnap-preload.so");
        assertThat(pod.getSpec().getContainers().getFirst().getCommand()).isEmpty();
        assertThat(pod.getSpec().getSchedulingGates()).isEmpty();
        assertThat(pod.getMetadata().getAnnotations()).doesNotContainKey(PodNames.WAITS);
    }
}
