package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.NodeAffinity;
import io.fabric8.kubernetes.api.model.NodeSelector;
import io.fabric8.kubernetes.api.model.NodeSelectorBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
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

    @Autowired
    private Starts starts;

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

    @Test
    void aSecondPodIsPlacedThawedAndReady() {
        String snapshot = given.snapshotReady(node, DRIVER);

        // when
        Pod pod = submit("second");
        given.gateIsOpen("second");

        // then it is drawn to where the snapshot can come back, and may run elsewhere
        if (!pod.getSpec().getSchedulingGates().isEmpty()) {
            NodeAffinity nodes =
                    given.kubelet.get("second").getSpec().getAffinity().getNodeAffinity();
            assertThat(nodes.getPreferredDuringSchedulingIgnoredDuringExecution())
                    .flatExtracting(term -> term.getPreference().getMatchFields())
                    .singleElement()
                    .satisfies(only -> assertThat(only.getValues()).containsExactly(node.name()));
            assertThat(nodes.getRequiredDuringSchedulingIgnoredDuringExecution())
                    .as("what a full node would make it wait for ever with")
                    .isNull();
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
    void aPodThatTheSchedulerPutsOnAnotherNodeIsThawedThereIfItCanBe() {
        String snapshot = given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        given.gateIsOpen("second");

        // given the first node is full, and another one has the snapshot as well by now
        SimulatedNode other = given.node(DRIVER);
        Map<String, Object> inventory = new LinkedHashMap<>(Given.inventory(DRIVER));
        inventory.put("snapshots", List.of(snapshot));
        other.heartbeat(inventory, List.of(), List.of()).expect(200);

        // when
        given.kubelet.bind("second", other.name());
        given.kubelet.running("second", false);

        // then
        JsonNode task = Given.claim(other);
        assertThat(task.path("kind").asString()).isEqualTo("THAW");
        assertThat(task.at("/thaw/container/podUid").asString())
                .isEqualTo(pod.getMetadata().getUid());
        other.thawed(task, 4243, pod.getMetadata().getUid()).expect(204);
        soon().until(() -> PodPatches.hasStarted(given.kubelet.get("second")));
    }

    @Test
    void aPodThatTheSchedulerPutsWhereNothingCanComeBackStartsCold() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        given.gateIsOpen("second");
        SimulatedNode other = given.node("590.9");

        given.kubelet.bind("second", other.name());

        // without gates the scheduler was the first to decide
        given.startsCold(
                pod,
                pod.getSpec().getSchedulingGates().isEmpty()
                        ? "SNAPSHOT_NOT_READY"
                        : "The pod was to run on node " + node.name() + " and runs on " + other.name() + ".");
    }

    @Test
    void aPodsOwnChoiceOfNodesIsLeftAsItIs() {
        given.snapshotReady(node, DRIVER);
        NodeSelector own = new NodeSelectorBuilder()
                .addNewNodeSelectorTerm()
                .addNewMatchExpression()
                .withKey("pool")
                .withOperator("In")
                .withValues("gpu")
                .endMatchExpression()
                .endNodeSelectorTerm()
                .build();

        given.kubelet.submit(new PodBuilder(Kubelet.pod(given.namespace, "second", "llm", Given.IMAGE))
                .editSpec()
                .withNewAffinity()
                .withNewNodeAffinity()
                .withRequiredDuringSchedulingIgnoredDuringExecution(own)
                .endNodeAffinity()
                .endAffinity()
                .endSpec()
                .build());
        given.gateIsOpen("second");

        assertThat(given.kubelet
                        .get("second")
                        .getSpec()
                        .getAffinity()
                        .getNodeAffinity()
                        .getRequiredDuringSchedulingIgnoredDuringExecution())
                .isEqualTo(own);
    }

    @Test
    void aPodThatIsToldToRunSomethingElseDoesNotStartFromWhatOthersRun() {
        // given a policy that names no version, and a snapshot of its first pod
        SnapshotPolicySpec named = given.spec();
        given.policy("llm", Given.plain(named.selector(), named.model(), null, named.readiness()));
        given.runningPod("first", node, DRIVER);
        given.saves(node);
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(given.podSnapshot())).isTrue());

        // when its owner changes an argument
        Pod edited = given.kubelet.submit(new PodBuilder(Kubelet.pod(given.namespace, "edited", "llm", Given.IMAGE))
                .editSpec()
                .editFirstContainer()
                .withArgs("--port", "9000")
                .endContainer()
                .endSpec()
                .build());
        Pod same = submit("same");

        // then
        given.startsCold(edited, "NOT_FOUND");
        given.gateIsOpen("same");
        given.kubelet.bind("same", node.name());
        given.kubelet.running("same", false);
        JsonNode task = Given.claim(node);
        assertThat(task.at("/thaw/container/podUid").asString())
                .isEqualTo(same.getMetadata().getUid());
        node.thawed(task, 4244, same.getMetadata().getUid()).expect(204);
        assertThat(same.getSpec().getContainers().getFirst().getArgs()).contains("8000");
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
        given.gateIsOpen("second");
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

        given.startsCold(pod, "DRIVER_MISMATCH");

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

        given.startsCold(
                pod, "CAPABILITY_MISSING: Node " + node.name() + " cannot thaw into a container (container-thaw)");
        assertThat(node.poll(0).status()).as("nothing is asked of it").isEqualTo(204);
    }

    @Test
    void withoutASnapshotAPodStartsCold() {
        given.policy("llm", given.spec());

        given.startsCold(submit("first"), "NOT_FOUND");
    }

    @Test
    void withoutAPolicyAPodStartsCold() {
        given.startsCold(submit("first"), "NO_POLICY");
    }

    @Test
    void whenTheThawFailsAPodStartsCold() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        given.gateIsOpen("second");
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);

        node.fail(Given.claim(node), "CRIU_FAILED").expect(204);

        given.startsCold(pod, "CRIU_FAILED");
    }

    @Test
    void aThawOfAPodThatIsGoneIsCancelled() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        given.gateIsOpen("second");
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
    void aThawOfAPodThatHasFailedIsCancelledAndForgotten() {
        given.snapshotReady(node, DRIVER);
        Pod pod = submit("second");
        given.gateIsOpen("second");
        given.kubelet.bind("second", node.name());
        given.kubelet.running("second", false);
        JsonNode task = Given.claim(node);

        // when its kubelet evicts it
        given.kubelet.ended("second", "Failed");

        soon().untilAsserted(() -> assertThat(node.progress(task)
                        .expect(200)
                        .json()
                        .path("cancelRequested")
                        .asBoolean())
                .isTrue());
        soon().until(() ->
                starts.find(UUID.fromString(pod.getMetadata().getUid())).isEmpty());
        node.complete(task, Map.of("outcome", "CANCELLED")).expect(204);
    }

    @Test
    void whatWasKeptOfAPodThatWentWhileNobodyLedIsForgotten() {
        Starts.PodRef gone = new Starts.PodRef(UUID.randomUUID(), given.namespace, "gone");
        operator.stop();
        starts.cold(gone, "NO_POLICY", "There was none.");

        operator.start();

        soon().until(() -> starts.find(gone.uid()).isEmpty());
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
