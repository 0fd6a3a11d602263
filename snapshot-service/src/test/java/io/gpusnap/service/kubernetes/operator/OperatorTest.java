package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.ModelSpec;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotSpec;
import io.gpusnap.service.kubernetes.crd.PodSnapshotStatus;
import io.gpusnap.service.kubernetes.crd.SnapshotContent;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicyStatus;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@KubernetesTest
class OperatorTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    private Given given;

    @BeforeEach
    void givenANamespace() {
        given = new Given(api);
    }

    private PodSnapshot podSnapshot(String name, PodSnapshotSpec.Source source, DeletionPolicy policy) {
        PodSnapshot resource = new PodSnapshot();
        resource.setMetadata(new ObjectMetaBuilder()
                .withNamespace(given.namespace)
                .withName(name)
                .build());
        resource.setSpec(new PodSnapshotSpec(source, given.model, "v1", null, policy));
        return given.client.resource(resource).create();
    }

    private PodSnapshot named(String name) {
        return given.client
                .resources(PodSnapshot.class)
                .inNamespace(given.namespace)
                .withName(name)
                .get();
    }

    private JsonNode snapshot(String id) {
        return api.get("/api/v1/snapshots/" + id).expect(200).json();
    }

    @Test
    void ofTheFirstWarmPodASnapshotIsTaken() {
        // given a policy with everything
        SnapshotPolicySpec plain = given.spec();
        given.policy(
                "llm",
                new SnapshotPolicySpec(
                        plain.selector(),
                        plain.model(),
                        plain.version(),
                        null,
                        null,
                        plain.readiness(),
                        new SnapshotPolicySpec.Quiesce(45, null),
                        null,
                        new SnapshotPolicySpec.Tiering(2, null),
                        new SnapshotPolicySpec.Retention(3, null),
                        new SnapshotPolicySpec.Rollout("stable", null),
                        DeletionPolicy.DELETE,
                        2,
                        null));
        SimulatedNode node = given.node(DRIVER);

        // when two pods are warm
        given.runningPod("one", node, DRIVER);
        given.runningPod("two", node, DRIVER);
        given.reports(node, DRIVER, given.kubelet.get("one"));
        soon().untilAsserted(() -> assertThat(given.podSnapshots()).hasSize(1));
        given.reports(
                node,
                DRIVER,
                given.kubelet.get(given.podSnapshot().getSpec().source().podName()));
        JsonNode task = Given.claim(node);
        assertThat(task.at("/save/quiesceTimeoutSeconds").asInt())
                .as("the policy's")
                .isEqualTo(45);
        node.complete(task, SimulatedNode.saveOutcome(TestManifest.of(task).withCompatibility()))
                .expect(204);

        // then there is one snapshot, bound to its content
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(given.podSnapshot())).isTrue());
        PodSnapshot taken = given.podSnapshot();
        String id = taken.getStatus().snapshotId();
        assertThat(taken.getStatus().conditions()).hasSize(1);
        assertThat(snapshot(id).path("state").asString()).isEqualTo("READY");
        soon().untilAsserted(() -> {
            SnapshotContent content = given.content(taken.getStatus().boundSnapshotContentName());
            assertThat(content.getSpec().podSnapshotRef()).isEqualTo(Contents.reference(taken));
            assertThat(content.getSpec().deletionPolicy()).isEqualTo(DeletionPolicy.DELETE);
            assertThat(content.getStatus().readyToUse()).isTrue();
            assertThat(content.getStatus().manifestDigest()).startsWith("sha256:");
            assertThat(content.getStatus().compatibilityClass()).isNotEmpty();
        });

        // then model, version, alias and tier policy are in the catalogue
        JsonNode version = api.get("/api/v1/models/" + given.model + "/versions/v1")
                .expect(200)
                .json();
        assertThat(version.path("image").asString()).isEqualTo(Given.IMAGE);
        soon().untilAsserted(() -> {
            SnapshotPolicy policy = given.client
                    .resources(SnapshotPolicy.class)
                    .inNamespace(given.namespace)
                    .withName("llm")
                    .get();
            assertThat(Given.reason(policy.getStatus().conditions())).isEqualTo("True HasSnapshot");
            assertThat(policy.getStatus().latestSnapshot())
                    .isEqualTo(taken.getMetadata().getName());
            assertThat(api.get("/api/v1/tier-policies/" + policy.getStatus().tierPolicy())
                            .expect(200)
                            .json()
                            .at("/spec/models/0")
                            .asString())
                    .isEqualTo(given.model);
            assertThat(api.get("/api/v1/models/" + given.model + "/aliases/stable")
                            .expect(200)
                            .json()
                            .path("version")
                            .asString())
                    .isEqualTo("v1");
        });
        soon().untilAsserted(() -> {
            Model model =
                    given.client.resources(Model.class).withName(given.model).get();
            assertThat(model).isNotNull();
            assertThat(model.getStatus().versions()).isEqualTo(1);
            assertThat(model.getStatus().aliases()).isEqualTo(Map.of("stable", "v1"));
        });
    }

    @Test
    void aSecondPolicyWithTierRulesForTheModelSaysWhoseRulesItIsUnder() {
        // given
        given.policy("llm", tiering(2));
        soon().untilAsserted(() -> assertThat(status("llm").tierPolicy()).isNotNull());
        String first = status("llm").tierPolicy();

        // when
        given.policy("llm-too", tiering(3));

        // then it is refused, and the model stays under the first one's rules
        soon().untilAsserted(() -> {
            assertThat(Given.reason(status("llm-too").conditions())).isEqualTo("False Refused");
            assertThat(Conditions.find(status("llm-too").conditions(), Conditions.READY)
                            .orElseThrow()
                            .getMessage())
                    .isEqualTo("TIER_POLICY_OVERLAP: Tier policy " + first + " decides about model " + given.model
                            + " already.");
        });
        assertThat(status("llm-too").tierPolicy()).isNull();
        assertThat(Given.reason(status("llm").conditions())).startsWith("True");
        assertThat(api.get("/api/v1/tier-policies/" + first)
                        .expect(200)
                        .json()
                        .at("/spec/rules/0/copies")
                        .asInt())
                .isEqualTo(2);
    }

    private SnapshotPolicySpec tiering(int copies) {
        SnapshotPolicySpec plain = given.spec();
        return new SnapshotPolicySpec(
                plain.selector(),
                plain.model(),
                plain.version(),
                null,
                null,
                plain.readiness(),
                null,
                null,
                new SnapshotPolicySpec.Tiering(copies, null),
                null,
                null,
                DeletionPolicy.DELETE,
                2,
                null);
    }

    private SnapshotPolicyStatus status(String policy) {
        return Objects.requireNonNullElse(
                given.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(given.namespace)
                        .withName(policy)
                        .get()
                        .getStatus(),
                SnapshotPolicyStatus.EMPTY);
    }

    @Test
    void aFailedSnapshotIsTriedAgainAsOftenAsThePolicySays() {
        given.policy("llm", given.spec());
        SimulatedNode node = given.node(DRIVER);
        Pod pod = given.runningPod("one", node, DRIVER);

        for (int i = 0; i < 2; i++) {
            node.fail(Given.claim(node), "CRIU_FAILED").expect(204);
            given.reports(node, DRIVER, pod);
        }

        soon().untilAsserted(() -> assertThat(given.podSnapshots())
                .hasSize(2)
                .allMatch(PodSnapshotReconciler::hasFailed)
                .allSatisfy(one -> assertThat(Conditions.find(one.getStatus().conditions(), Conditions.READY)
                                .orElseThrow()
                                .getMessage())
                        .contains("CRIU_FAILED")));
        soon().untilAsserted(() -> assertThat(Given.reason(given.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(given.namespace)
                        .withName("llm")
                        .get()
                        .getStatus()
                        .conditions()))
                .isEqualTo("False SnapshotsFailed"));
    }

    @Test
    void aPodThatWouldNotComeToRestIsLeftAloneForAsLongAsThePolicySays() {
        SnapshotPolicySpec plain = given.spec();
        given.policy("llm", quiescing(plain, new SnapshotPolicySpec.Quiesce(1, 3600)));
        SimulatedNode node = given.node(DRIVER);
        Pod pod = given.runningPod("one", node, DRIVER);

        // when it refuses
        node.fail(Given.claim(node), "WORKLOAD_REFUSED").expect(204);

        // then nothing is asked of it again, though it is there and as warm as before
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.hasFailed(given.podSnapshot())).isTrue());
        given.reports(node, DRIVER, pod);
        given.kubelet.running("one", true);
        soon().until(operator::idle);
        assertThat(given.podSnapshots()).hasSize(1);

        // when the policy is less patient, then it is
        given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("llm")
                .edit(now -> {
                    now.setSpec(quiescing(plain, new SnapshotPolicySpec.Quiesce(1, 1)));
                    return now;
                });
        assertThat(Given.claim(node).path("kind").asString()).isEqualTo("SAVE");
    }

    private static SnapshotPolicySpec quiescing(SnapshotPolicySpec plain, SnapshotPolicySpec.Quiesce quiesce) {
        return new SnapshotPolicySpec(
                plain.selector(),
                plain.model(),
                plain.version(),
                null,
                null,
                plain.readiness(),
                quiesce,
                null,
                null,
                null,
                null,
                plain.deletionPolicy(),
                plain.maxAttempts(),
                null);
    }

    @Test
    void whatRestCallersMakeAndDeleteShowsUpAndGoes() {
        // given a snapshot that nobody in the cluster asked for
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        String id = catalogue.ready(node);
        String name = "snapcontent-" + id;

        // then it is there, with its model
        soon().untilAsserted(() -> {
            assertThat(given.content(name)).isNotNull();
            assertThat(given.content(name).getStatus().state()).isEqualTo("READY");
            assertThat(given.client
                            .resources(Model.class)
                            .withName(catalogue.model())
                            .get())
                    .isNotNull();
        });

        // when it is deleted through REST
        api.with("If-Match", "*").delete("/api/v1/snapshots/" + id).expect(202);
        soon().untilAsserted(() ->
                assertThat(given.content(name).getStatus().state()).isEqualTo("DELETING"));
        node.complete(node.claim(), Map.of("outcome", "SUCCEEDED")).expect(204);

        // then its content goes
        soon().untilAsserted(() -> assertThat(given.content(name)).isNull());
    }

    @Test
    void aDeletedPodSnapshotTakesItsSnapshotWithItOrLeavesIt() {
        SimulatedNode node = given.node(DRIVER);
        String id = given.snapshotReady(node, DRIVER);
        PodSnapshot taken = given.podSnapshot();
        String content = taken.getStatus().boundSnapshotContentName();
        soon().untilAsserted(() ->
                assertThat(given.content(content).getSpec().podSnapshotRef()).isNotNull());

        // when one with Delete goes
        given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("llm")
                .delete();
        given.client.resource(taken).delete();

        // then it stays until the node has removed it
        JsonNode task = Given.claim(node);
        assertThat(task.path("kind").asString()).isEqualTo("DELETE");
        assertThat(named(taken.getMetadata().getName())).isNotNull();
        node.complete(task, Map.of("outcome", "SUCCEEDED")).expect(204);
        soon().untilAsserted(() -> {
            assertThat(named(taken.getMetadata().getName())).isNull();
            assertThat(given.content(content)).isNull();
            assertThat(snapshot(id).path("state").asString()).isEqualTo("DELETED");
        });
    }

    @Test
    void aVersionWhoseSnapshotWasDeletedHasAnotherOneTaken() {
        SimulatedNode node = given.node(DRIVER);
        String id = given.snapshotReady(node, DRIVER);

        // when retention or a REST caller deletes it
        api.with("If-Match", "*").delete("/api/v1/snapshots/" + id).expect(202);
        node.complete(Given.claim(node), Map.of("outcome", "SUCCEEDED")).expect(204);
        given.reports(node, DRIVER, given.kubelet.get("first"));

        // then the pod, which is warm still, has another one taken
        given.saves(node);
        soon().untilAsserted(() -> assertThat(given.podSnapshots())
                .hasSize(2)
                .filteredOn(PodSnapshotReconciler::isReady)
                .singleElement()
                .satisfies(one -> assertThat(one.getStatus().snapshotId()).isNotEqualTo(id)));
    }

    @Test
    void aFailedAttemptThatIsDeletedByHandMakesRoomForAnother() {
        given.policy("llm", given.spec());
        SimulatedNode node = given.node(DRIVER);
        Pod pod = given.runningPod("one", node, DRIVER);
        for (int i = 0; i < 2; i++) {
            node.fail(Given.claim(node), "CRIU_FAILED").expect(204);
            given.reports(node, DRIVER, pod);
        }
        soon().untilAsserted(
                        () -> assertThat(given.podSnapshots()).hasSize(2).allMatch(PodSnapshotReconciler::hasFailed));

        // when the first of them goes
        PodSnapshot first = given.podSnapshots().stream()
                .filter(one -> one.getMetadata().getName().endsWith("-1"))
                .findFirst()
                .orElseThrow();
        given.client.resource(first).delete();

        // then it goes, with a DELETE where something of it may be left, and there is a third, whichever comes first
        soon().untilAsserted(() -> {
            Reply asked = node.poll(0);
            if (asked.status() == 200) {
                JsonNode task = asked.json();
                Map<String, Object> outcome = task.path("kind").asString().equals("SAVE")
                        ? SimulatedNode.saveOutcome(TestManifest.of(task).withCompatibility())
                        : Map.of("outcome", "SUCCEEDED");
                node.complete(task, outcome).expect(204);
            }
            assertThat(given.podSnapshots())
                    .noneMatch(one -> one.getMetadata().getName().endsWith("-1"))
                    .filteredOn(PodSnapshotReconciler::isReady)
                    .singleElement()
                    .satisfies(one -> assertThat(one.getMetadata().getName()).endsWith("-3"));
        });
    }

    @Test
    void aRetainedSnapshotIsBoundAgain() {
        // given a content of a REST caller's snapshot
        SimulatedNode node = given.node(DRIVER);
        api.once().post("/api/v1/models", Map.of("name", given.model)).expect(201);
        api.once()
                .post("/api/v1/models/" + given.model + "/versions", Map.of("name", "v1"))
                .expect(201);
        String id = new Catalogue(api, given.model, "v1").ready(node);
        String content = "snapcontent-" + id;
        soon().untilAsserted(() -> assertThat(given.content(content)).isNotNull());

        // when it is bound, and the PodSnapshot goes
        podSnapshot("bound", new PodSnapshotSpec.Source(null, null, content), DeletionPolicy.RETAIN);
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(named("bound"))).isTrue());
        podSnapshot("other", new PodSnapshotSpec.Source(null, null, content), DeletionPolicy.RETAIN);
        soon().untilAsserted(() -> assertThat(PodSnapshotReconciler.hasFailed(named("other")))
                .as("a content is bound to one")
                .isTrue());
        given.client.resource(named("other")).delete();
        soon().untilAsserted(() -> assertThat(named("other")).isNull());
        given.client.resource(named("bound")).delete();
        soon().untilAsserted(() -> assertThat(named("bound")).isNull());

        // then the snapshot stays; and when its content is deleted that comes back, unbound
        assertThat(snapshot(id).path("state").asString()).isEqualTo("READY");
        given.client.resource(given.content(content)).delete();
        soon().untilAsserted(() -> {
            assertThat(given.content(content)).isNotNull();
            assertThat(given.content(content).getSpec().podSnapshotRef()).isNull();
        });
        podSnapshot("again", new PodSnapshotSpec.Source(null, null, content), DeletionPolicy.RETAIN);
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.isReady(named("again"))).isTrue());
    }

    @Test
    void aPodSnapshotOfNoPodSaysSo() {
        podSnapshot("nobody", new PodSnapshotSpec.Source("nobody", null, null), DeletionPolicy.RETAIN);

        soon().untilAsserted(() -> {
            assertThat(named("nobody").getStatus()).isNotNull();
            assertThat(Given.reason(named("nobody").getStatus().conditions())).isEqualTo("False Failed");
        });
    }

    /** As if it had been said so long ago. */
    private void waitsSince(String name, Duration ago) {
        PodSnapshot resource = named(name);
        PodSnapshotStatus status = resource.getStatus();
        resource.setStatus(new PodSnapshotStatus(
                status.observedGeneration(),
                status.snapshotId(),
                status.boundSnapshotContentName(),
                status.readyToUse(),
                Conditions.with(
                        null,
                        Conditions.READY,
                        false,
                        "WorkloadNotFound",
                        "as it was said then",
                        status.observedGeneration(),
                        Instant.now().minus(ago))));
        given.client.resource(resource).subresource("status").update();
    }

    @Test
    void aPodSnapshotOfAPodThatWasNeverPreparedFailsAfterAWhileAndSaysWhatToDo() {
        // given a pod of which no daemon ever reports a process
        given.client
                .resource(Kubelet.pod(given.namespace, "bare", "llm", Given.IMAGE))
                .create();
        podSnapshot("bare", new PodSnapshotSpec.Source("bare", null, null), DeletionPolicy.RETAIN);
        soon().untilAsserted(() ->
                assertThat(Given.reason(named("bare").getStatus().conditions())).isEqualTo("False WorkloadNotFound"));

        // when it has waited for a while, then it waits on
        waitsSince("bare", Duration.ofMinutes(9));
        soon().untilAsserted(() -> assertThat(message("bare")).contains("No daemon reports a process"));
        assertThat(PodSnapshotReconciler.hasFailed(named("bare"))).isFalse();

        // when it has for long enough, then it says so
        waitsSince("bare", Duration.ofMinutes(11));
        soon().untilAsserted(() ->
                assertThat(PodSnapshotReconciler.hasFailed(named("bare"))).isTrue());
        assertThat(message("bare")).contains("600 s").contains("gpusnap.io/managed=true");
    }

    private String message(String name) {
        return Conditions.find(named(name).getStatus().conditions(), Conditions.READY)
                .orElseThrow()
                .getMessage();
    }

    @Test
    void aModelIsMadeChangedAndDeletedFromTheCluster() {
        Model model = new Model();
        model.setMetadata(new ObjectMetaBuilder().withName(given.model).build());
        model.setSpec(new ModelSpec("a model", Map.of("team", "search"), DeletionPolicy.DELETE, null));
        given.client.resource(model).create();
        soon().untilAsserted(() ->
                assertThat(api.get("/api/v1/models/" + given.model).status()).isEqualTo(200));
        assertThat(api.get("/api/v1/models/" + given.model)
                        .json()
                        .path("description")
                        .asString())
                .isEqualTo("a model");

        // while it has versions it stays, and says why
        api.once()
                .post("/api/v1/models/" + given.model + "/versions", Map.of("name", "v1"))
                .expect(201);
        given.client.resources(Model.class).withName(given.model).delete();
        soon().untilAsserted(() -> assertThat(Given.reason(given.client
                        .resources(Model.class)
                        .withName(given.model)
                        .get()
                        .getStatus()
                        .conditions()))
                .isEqualTo("False DeletionBlocked"));
    }

    @Test
    void aWarmUpIsWaitedFor() {
        SnapshotPolicySpec plain = given.spec();
        given.policy(
                "llm",
                Given.plain(
                        plain.selector(),
                        plain.model(),
                        "v1",
                        new SnapshotPolicySpec.Readiness(List.of("example.com/Warm"), 3600)));
        SimulatedNode node = given.node(DRIVER);

        given.runningPod("one", node, DRIVER);
        given.runningPod("two", node, DRIVER);

        // its policy and both pods were looked at, and still nothing is taken
        soon().untilAsserted(() -> assertThat(Given.reason(given.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(given.namespace)
                        .withName("llm")
                        .get()
                        .getStatus()
                        .conditions()))
                .isEqualTo("True WaitingForPods"));
        assertThat(given.podSnapshots()).isEmpty();
    }
}
