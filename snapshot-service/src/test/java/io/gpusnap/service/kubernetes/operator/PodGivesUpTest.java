package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.start.Start;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/** A pod that was placed, and for which nothing comes then: it starts cold, and a container of it that waits is told. */
@KubernetesTest
class PodGivesUpTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    @Autowired
    private Starts starts;

    @Autowired
    private JdbcClient jdbc;

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

    /** Its node is chosen, and its container is not there yet. */
    private Pod placed() {
        Pod pod = given.kubelet.submit(Kubelet.pod(given.namespace, "second", "llm", Given.IMAGE));
        given.gateIsOpen("second");
        return pod;
    }

    private void waitsOn(SimulatedNode where) {
        given.kubelet.bind("second", where.name());
        given.kubelet.running("second", false);
    }

    /** Pods whose containers that wait the daemon is to tell. */
    private static List<String> told(SimulatedNode node) {
        return node.heartbeat(Given.inventory(DRIVER), List.of(), List.of())
                .expect(200)
                .json()
                .path("coldPods")
                .valueStream()
                .map(JsonNode::asString)
                .toList();
    }

    private void isTold(SimulatedNode node, Pod pod) {
        assertThat(told(node)).containsExactly(pod.getMetadata().getUid());
    }

    @Test
    void itsPolicyIsGone() {
        Pod pod = placed();
        given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("llm")
                .delete();
        soon().until(() -> given.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(given.namespace)
                        .withName("llm")
                        .get()
                == null);
        Given.quiet(operator);

        waitsOn(node);

        given.startsCold(pod, "NO_POLICY");
        isTold(node, pod);
        assertThat(node.poll(0).status()).as("nothing is asked of it").isEqualTo(204);

        // and once no container of it can wait any more, the node hears of it no longer
        jdbc.sql("UPDATE kubernetes_start SET cold_until = now() WHERE pod_uid = ?")
                .param(UUID.fromString(pod.getMetadata().getUid()))
                .update();
        assertThat(told(node)).isEmpty();
    }

    @Test
    void itsSnapshotIsDeletedMeanwhile() {
        Pod pod = placed();
        node.heartbeat(Given.inventory(DRIVER), List.of(), List.of()).expect(200);
        api.with("If-Match", "*").delete("/api/v1/snapshots/" + snapshot).expect(202);
        node.complete(Given.claim(node), Map.of("outcome", "SUCCEEDED")).expect(204);

        waitsOn(node);

        given.startsCold(pod, "SNAPSHOT_NOT_READY");
        isTold(node, pod);
    }

    @Test
    void itRunsOutOfTimeBeforeItsDaemonTakesIt() {
        Pod pod = placed();
        waitsOn(node);
        UUID uid = UUID.fromString(pod.getMetadata().getUid());
        soon().until(() -> starts.find(uid)
                .filter(one -> one.phase() == Start.Phase.THAWING)
                .isPresent());

        // when the policy's time is over
        jdbc.sql("UPDATE kubernetes_start SET deadline = now() - interval '1 second' WHERE pod_uid = ?")
                .param(uid)
                .update();

        given.startsCold(pod, "TIMED_OUT");
        isTold(node, pod);
        assertThat(node.poll(0).status()).as("what nobody took is cancelled").isEqualTo(204);
    }

    @Test
    void itRunsOutOfTimeWhileItIsThawed() {
        Pod pod = placed();
        waitsOn(node);
        JsonNode task = Given.claim(node);

        jdbc.sql("UPDATE kubernetes_start SET deadline = now() - interval '1 second' WHERE pod_uid = ?")
                .param(UUID.fromString(pod.getMetadata().getUid()))
                .update();

        given.startsCold(pod, "TIMED_OUT");
        assertThat(node.progress(task)
                        .expect(200)
                        .json()
                        .path("cancelRequested")
                        .asBoolean())
                .as("whoever has claimed the container tells it")
                .isTrue();
        node.complete(task, Map.of("outcome", "CANCELLED")).expect(204);
    }

    @Test
    void itIsOnANodeWhereNothingCanComeBack() {
        Pod pod = placed();
        SimulatedNode other = given.node("590.9");

        waitsOn(other);

        given.startsCold(pod, "SNAPSHOT_NOT_READY");
        isTold(other, pod);
        assertThat(told(node)).as("it is not there").isEmpty();
    }

    @Test
    void itsContainerHasStartedAnewBeforeTheDaemonFoundIt() {
        Pod pod = placed();
        waitsOn(node);
        JsonNode task = Given.claim(node);
        given.kubelet.running("second", "another-container", false);

        node.fail(task, "CONTAINER_NOT_FOUND").expect(204);

        given.startsCold(pod, "CONTAINER_NOT_FOUND");
        isTold(node, pod);
    }

    @Test
    void whatIsColdBeforeItHasANodeNeedsNobodyToTellIt() {
        Pod pod = given.kubelet.submit(Kubelet.pod(given.namespace, "other", "nobody", Given.IMAGE));
        given.startsCold(pod, "NO_POLICY");

        given.kubelet.bind("other", node.name());
        Given.quiet(operator);

        assertThat(told(node)).isEmpty();
    }
}
