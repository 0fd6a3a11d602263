package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.testing.Api;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;

/**
 * Pods of a policy, with everything of gpusnap's as it is in a cluster: operator, webhook, a daemon of its own JVM, CRIU, processes in
 * namespaces and control groups. Played are the scheduler, the kubelet, the container runtime and the GPU's driver.
 */
@KubernetesTest
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PodStoryIT {
    private static final Path WORK = Path.of("/srv/gpusnap-story");
    private static final String PROMPT = "warm";
    /** What the server says when it has started by itself. */
    private static final String STARTED = "weights loaded";

    private static final int CUDA = 13000;
    private static final int OTHER_CUDA = 13010;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path disk;

    @Autowired
    private Api api;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    @Autowired
    private Nodes nodes;

    private final List<PodContainer> containers = new ArrayList<>();
    private Given given;
    private GpuNode node;
    private PodContainer first;
    private String answer;

    @BeforeAll
    void aPodUnderAPolicyStartedColdAndHadItsSnapshotTaken() throws Exception {
        node = GpuNode.make(api, nodes, disk);
        given = new Given(api);
        soon().until(operator::idle);
        webhook.install();
        node.runs(CUDA);
        given.policy("llm", given.spec());

        Pod pod = submit("first");
        assertThat(saysWhyItIsCold("first")).contains("NOT_FOUND");
        first = starts("first", "10.4.0.7");
        soon().until(first::answers);
        answer = first.answer(PROMPT);
        soon().until(() -> node.reports(pod.getMetadata().getUid()));
        becomesReady("first", first);

        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(given.podSnapshot())).isTrue());
        assertThat(first.answer(PROMPT)).as("it went on").isEqualTo(answer);
    }

    @BeforeEach
    void givenWebhookAndDriver() throws Exception {
        webhook.install();
        node.runs(CUDA);
    }

    @AfterAll
    void end() throws Exception {
        for (PodContainer container : containers) {
            container.close();
        }
        if (node != null) {
            node.close();
        }
    }

    @Test
    void aSecondPodIsGatedPlacedThawedAndReady() throws Exception {
        // given one that serves, with a snapshot
        int snapshots = given.podSnapshots().size();

        // when the owner asks for one more
        Pod pod = submit("second");

        // then it waits, where the API server knows gates, and is drawn to where the snapshot can come back
        assertThat(ClusterUnderTest.REAL || PodPatches.isGated(pod)).isTrue();
        soon().until(() -> !PodPatches.isGated(given.kubelet.get("second")));
        if (!pod.getSpec().getSchedulingGates().isEmpty()) {
            assertThat(given.kubelet
                            .get("second")
                            .getSpec()
                            .getAffinity()
                            .getNodeAffinity()
                            .getPreferredDuringSchedulingIgnoredDuringExecution())
                    .flatExtracting(term -> term.getPreference().getMatchFields())
                    .singleElement()
                    .satisfies(only -> assertThat(only.getValues()).containsExactly(node.name()));
        }

        // when its container has come up, then the daemon thaws into it
        PodContainer second = starts("second", "10.4.0.8");
        isReported("second", second);
        soon().until(() -> PodPatches.hasStarted(given.kubelet.get("second")));
        soon().untilAsserted(() ->
                assertThat(given.kubelet.events(pod)).anyMatch(event -> event.startsWith("Normal Restored: ")));
        assertThat(second.processes()).containsExactly("gpusnap:running", "cuda-server");
        assertThat(second.log()).as("nothing was started in it").doesNotContain(STARTED);
        becomesReady("second", second);

        // and it is what the first one was, which goes on beside it
        assertThat(second.answer(PROMPT)).isEqualTo(answer);
        assertThat(first.answer(PROMPT)).isEqualTo(answer);
        assertThat(given.podSnapshots()).as("no other snapshot is wanted of it").hasSize(snapshots);
    }

    @Test
    void onAnotherDriverAPodStartsColdAndSaysWhy() throws Exception {
        // given a node whose driver has been upgraded
        node.runs(OTHER_CUDA);

        Pod pod = submit("third");

        String why = saysWhyItIsCold("third");
        assertThat(why)
                .contains("DRIVER_MISMATCH")
                .contains(node.name())
                .contains("CUDA " + CUDA)
                .contains("CUDA " + OTHER_CUDA);
        PodContainer third = starts("third", "10.4.0.9");
        soon().until(third::answers);
        soon().until(() -> third.log().contains(STARTED));
        assertThat(third.answer(PROMPT)).as("it is another process").isNotEqualTo(answer);

        // and once it is ready, that kind of node gets a snapshot of its own
        soon().until(() -> node.reports(pod.getMetadata().getUid()));
        becomesReady("third", third);
        soon().untilAsserted(
                        () -> assertThat(given.podSnapshots()).hasSize(2).allMatch(PodSnapshotReconciler::isReady));
    }

    @Test
    void withTheWebhookDownAPodStartsAsItsOwnerWroteIt() throws Exception {
        webhook.breakIt();

        Pod pod = given.kubelet.submit(pod("fourth"));

        assertThat(pod.getSpec().getSchedulingGates()).isEmpty();
        PodContainer fourth = starts("fourth", "10.4.0.10");
        becomesReady("fourth", fourth);
        assertThat(fourth.processes())
                .as("nothing of gpusnap's is in it")
                .first()
                .isEqualTo("cuda-server");
        assertThat(fourth.answer(PROMPT)).isNotEqualTo(answer);
    }

    /** As its owner writes it. */
    private Pod pod(String name) {
        return new PodBuilder(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                .editSpec()
                .editFirstContainer()
                .withCommand(GpuNode.cudaServer().toString())
                .withArgs(
                        "--port",
                        "8000",
                        "--weights-mib",
                        "16",
                        "--kv-mib",
                        "8",
                        "--host-mib",
                        "8",
                        "--side-mib",
                        "8",
                        "--warmup-seconds",
                        "0",
                        "--workdir",
                        WORK.toString(),
                        "--state-file",
                        WORK.resolve("state").toString())
                .endContainer()
                .endSpec()
                .build();
    }

    private Pod submit(String name) {
        Pod pod = given.kubelet.submit(pod(name));
        assertThat(pod.getSpec().getContainers().getFirst().getCommand())
                .containsExactly(
                        "/opt/gpusnap/gpusnap-placeholder",
                        "--",
                        GpuNode.cudaServer().toString());
        return pod;
    }

    /** Once it is decided: in its event. */
    private String saysWhyItIsCold(String name) {
        Pod pod = soon().until(() -> given.kubelet.get(name), PodPatches::hasStarted);
        assertThat(PodPatches.isGated(pod)).isFalse();
        assertThat(pod.getMetadata().getAnnotations()).containsEntry(PodNames.START, "COLD");
        return soon().until(
                        () -> given.kubelet.events(pod).stream()
                                .filter(event -> event.startsWith("Warning ColdStart: "))
                                .findFirst()
                                .orElse(""),
                        event -> !event.isEmpty());
    }

    /** The scheduler has one node to choose from, and then its kubelet starts what the pod says by now. */
    private PodContainer starts(String name, String address) throws Exception {
        given.kubelet.bind(name, node.name());
        PodContainer container = PodContainer.start(given.kubelet.get(name), node, address, WORK);
        containers.add(container);
        return container;
    }

    /** As a kubelet that asks the readiness probe again and again. */
    private void becomesReady(String name, PodContainer container) {
        soon().until(() -> {
            isReported(name, container);
            return given.kubelet.isTrue(given.kubelet.get(name), "Ready");
        });
    }

    /** In the pod's status. */
    private void isReported(String name, PodContainer container) {
        soon().ignoreExceptions().until(() -> {
            given.kubelet.running(name, container.id(), container.answers());
            return true;
        });
    }
}
