package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.csi.VolumeSnapshot;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/** A namespace of its own with a model of its own, and what tests do in it. */
final class Given {
    static final String IMAGE = "llm@sha256:1";
    private static final AtomicInteger PIDS = new AtomicInteger(100);

    final KubernetesClient client = ClusterUnderTest.client();
    final String namespace = "ns-" + UUID.randomUUID();
    final String model = "m-" + UUID.randomUUID();
    final Kubelet kubelet = new Kubelet(client, namespace);
    private final Api api;

    Given(Api api) {
        this.api = api;
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .endMetadata()
                        .build())
                .create();
    }

    static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                // a resource is there before its status is
                .ignoreException(NullPointerException.class);
    }

    /** What has been told is dealt with, also what a watch tells of it a moment later. */
    static void quiet(Operator operator) {
        await().atMost(Duration.ofMinutes(3)).during(Duration.ofMillis(500)).until(operator::idle);
    }

    /** A change by a person: once more if the operator has written in between, which only a real API server notices. */
    static <T extends HasMetadata> void edit(Resource<T> resource, Consumer<T> change) {
        soon().ignoreExceptionsMatching(e -> e instanceof KubernetesClientException answer && answer.getCode() == 409)
                .until(() -> {
                    resource.edit(one -> {
                        change.accept(one);
                        return one;
                    });
                    return true;
                });
    }

    SnapshotPolicy policy(String name, SnapshotPolicySpec spec) {
        SnapshotPolicy policy = new SnapshotPolicy();
        policy.setMetadata(
                new ObjectMetaBuilder().withNamespace(namespace).withName(name).build());
        policy.setSpec(spec);
        return client.resource(policy).create();
    }

    /** With everything else left to its default. */
    static SnapshotPolicySpec plain(
            LabelSelector selector,
            String model,
            @Nullable String version,
            SnapshotPolicySpec.@Nullable Readiness readiness) {
        return new SnapshotPolicySpec(
                selector, model, version, null, null, readiness, null, null, null, null, null, null, null, null);
    }

    /** Without any warm-up. */
    SnapshotPolicySpec spec() {
        return new SnapshotPolicySpec(
                new LabelSelectorBuilder().addToMatchLabels("app", "llm").build(),
                model,
                "v1",
                null,
                null,
                new SnapshotPolicySpec.Readiness(null, 0),
                null,
                null,
                null,
                null,
                null,
                DeletionPolicy.DELETE,
                2,
                null);
    }

    /** A daemon's node with what a compatible snapshot needs. */
    SimulatedNode node(String driverBuild) {
        SimulatedNode node = SimulatedNode.register(api, "node-" + UUID.randomUUID(), inventory(driverBuild));
        node.heartbeat(inventory(driverBuild), List.of(), List.of()).expect(200);
        return node;
    }

    static Map<String, Object> inventory(String driverBuild) {
        return inventory(driverBuild, Map.of("criu+cuda", "", "criu", "", "container-thaw", ""));
    }

    /** Of a daemon from before there were thaws into containers. */
    static Map<String, Object> olderInventory(String driverBuild) {
        return inventory(driverBuild, Map.of("criu+cuda", "", "criu", ""));
    }

    private static Map<String, Object> inventory(String driverBuild, Map<String, String> capabilities) {
        Map<String, Object> inventory = new LinkedHashMap<>(SimulatedNode.inventory(capabilities));
        inventory.put("kernelRelease", "6.18.44");
        inventory.put("cudaDriverVersion", 13000);
        inventory.put("driverBuild", driverBuild);
        inventory.put("criuVersion", "4.2.1");
        inventory.put("cpuFeatures", List.of("avx2", "sse"));
        inventory.put("gpus", List.of(SimulatedNode.gpu("9.0")));
        return inventory;
    }

    /** A pod that runs and answers on the node, with its process reported. */
    Pod runningPod(String name, SimulatedNode node, String driverBuild) {
        Pod pod = client.resource(Kubelet.pod(namespace, name, "llm", IMAGE)).create();
        reports(node, driverBuild, pod);
        if (pod.getMetadata().getAnnotations().containsKey(PodNames.WAITS)) {
            // a real API server has asked the webhook: it starts cold first
            soon().until(() -> PodPatches.hasStarted(kubelet.get(name)));
        }
        kubelet.bind(name, node.name());
        kubelet.running(name, true);
        return pod;
    }

    void reports(SimulatedNode node, String driverBuild, Pod pod) {
        node.heartbeat(
                        inventory(driverBuild),
                        List.of(SimulatedNode.process(
                                PIDS.getAndIncrement(), pod.getMetadata().getUid())),
                        List.of())
                .expect(200);
    }

    /** Its node is chosen, or it starts cold. Where the API server knows no gates there is none to open. */
    void gateIsOpen(String name) {
        soon().untilAsserted(
                        () -> assertThat(PodPatches.isGated(kubelet.get(name))).isFalse());
    }

    /** Waits until it is cold, and checks that it says so everywhere. */
    void startsCold(Pod pod, String why) {
        String name = pod.getMetadata().getName();
        soon().untilAsserted(() ->
                assertThat(kubelet.isTrue(kubelet.get(name), PodNames.STARTED)).isTrue());
        Pod now = kubelet.get(name);
        assertThat(PodPatches.isGated(now)).isFalse();
        assertThat(now.getMetadata().getAnnotations())
                .containsEntry(PodNames.START, "COLD")
                .containsEntry(PodNames.PLACEHOLDER_WAIT, "0")
                .hasEntrySatisfying(
                        PodNames.REASON, reason -> assertThat(reason).contains(why));
        soon().untilAsserted(() -> assertThat(kubelet.events(pod))
                .filteredOn(event -> event.startsWith("Warning ColdStart: "))
                .singleElement()
                .asString()
                .contains(why));
    }

    List<PodSnapshot> podSnapshots() {
        return client.resources(PodSnapshot.class).inNamespace(namespace).list().getItems();
    }

    PodSnapshot podSnapshot() {
        List<PodSnapshot> all = podSnapshots();
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    SnapshotContent content(String name) {
        return client.resources(SnapshotContent.class).withName(name).get();
    }

    /** The next operation of the node. */
    static JsonNode claim(SimulatedNode node) {
        return soon().until(() -> node.poll(0), reply -> reply.status() == 200).json();
    }

    /** Ends the SAVE that the node has been asked for. */
    void saves(SimulatedNode node) {
        JsonNode task = claim(node);
        node.complete(task, SimulatedNode.saveOutcome(TestManifest.of(task).withCompatibility()))
                .expect(204);
    }

    /** A policy and a READY snapshot of its first pod; the snapshot's id. */
    String snapshotReady(SimulatedNode node, String driverBuild) {
        policy("llm", spec());
        runningPod("first", node, driverBuild);
        saves(node);
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(podSnapshot())).isTrue());
        return podSnapshot().getStatus().snapshotId();
    }

    /** An archive of the shared tier's claim that was taken before. */
    void archive(String name, VolumeSnapshot.Status status) {
        VolumeSnapshot archive = new VolumeSnapshot();
        archive.setMetadata(new ObjectMetaBuilder()
                .withNamespace(ClusterUnderTest.SYSTEM)
                .withName(ClusterUnderTest.CLAIM + "-" + name)
                .addToLabels(Archives.ARCHIVE_OF, ClusterUnderTest.CLAIM)
                .build());
        archive.setSpec(new VolumeSnapshot.Spec(new VolumeSnapshot.Source(ClusterUnderTest.CLAIM), null));
        says(client.resource(archive).create(), status);
    }

    /** The storage system's part. */
    void says(VolumeSnapshot archive, VolumeSnapshot.Status status) {
        VolumeSnapshot said = Resources.copy(archive);
        said.setStatus(status);
        client.resource(said).subresource("status").update();
    }

    static String reason(List<io.fabric8.kubernetes.api.model.Condition> conditions) {
        return Conditions.find(conditions, Conditions.READY)
                .map(one -> one.getStatus() + " " + one.getReason())
                .orElse("");
    }
}
