package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Condition;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.kubernetes.admission.InstalledWebhook;
import io.gpusnap.service.kubernetes.crd.Conditions;
import io.gpusnap.service.kubernetes.crd.DeletionPolicy;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.ModelSpec;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotSpec;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.model.Models;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import tools.jackson.databind.JsonNode;

/** What was frozen in one namespace is not thawed into another one, unless the model is shared with it. */
@KubernetesTest
class ModelOwnersTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private InstalledWebhook webhook;

    @Autowired
    private Operator operator;

    @Autowired
    private ModelOwners owners;

    @Autowired
    private Models models;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TransactionTemplate transaction;

    private Given owner;
    private Given other;
    private SimulatedNode node;

    @BeforeEach
    void givenTwoNamespaces() {
        owner = new Given(api);
        other = new Given(api);
        node = owner.node(DRIVER);
        soon().until(operator::idle);
        webhook.install();
    }

    /** A policy of the other namespace that names the owner's model. */
    private void othersPolicy() {
        SnapshotPolicySpec plain = owner.spec();
        other.policy("llm", Given.plain(plain.selector(), owner.model, "v1", plain.readiness()));
    }

    private void othersPolicyIs(String reason) {
        soon().untilAsserted(() -> assertThat(Given.reason(othersConditions())).isEqualTo(reason));
    }

    private List<Condition> othersConditions() {
        return other.client
                .resources(SnapshotPolicy.class)
                .inNamespace(other.namespace)
                .withName("llm")
                .get()
                .getStatus()
                .conditions();
    }

    private void share(List<String> with) {
        soon().until(() ->
                owner.client.resources(Model.class).withName(owner.model).get() != null);
        Given.edit(
                owner.client.resources(Model.class).withName(owner.model),
                model -> model.setSpec(new ModelSpec(null, null, DeletionPolicy.RETAIN, with)));
    }

    @Test
    void aPodOfAnotherNamespaceStartsColdUntilTheModelIsShared() {
        owner.snapshotReady(node, DRIVER);

        // when another namespace's policy names the model
        othersPolicy();

        // then it says whose it is, and its pods start cold and are not frozen as if they were the owner's
        othersPolicyIs("False ModelNotShared");
        assertThat(Conditions.find(othersConditions(), Conditions.READY)
                        .orElseThrow()
                        .getMessage())
                .contains("belongs to namespace " + owner.namespace)
                .contains("sharedWith");
        Pod pod = other.kubelet.submit(Kubelet.pod(other.namespace, "theirs", "llm", Given.IMAGE));
        other.startsCold(pod, "FORBIDDEN: Model " + owner.model + " belongs to namespace " + owner.namespace);
        other.reports(node, DRIVER, pod);
        other.kubelet.bind("theirs", node.name());
        other.kubelet.running("theirs", true);
        Given.quiet(operator);
        assertThat(other.podSnapshots()).isEmpty();
        assertThat(node.poll(0).status()).isEqualTo(204);

        // when an administrator shares it, then they start from it
        share(List.of(other.namespace));
        othersPolicyIs("True WaitingForPods");
        Pod next = other.kubelet.submit(Kubelet.pod(other.namespace, "next", "llm", Given.IMAGE));
        other.gateIsOpen("next");
        other.kubelet.bind("next", node.name());
        other.kubelet.running("next", false);
        JsonNode task = Given.claim(node);
        assertThat(task.at("/thaw/container/podUid").asString())
                .isEqualTo(next.getMetadata().getUid());
        node.thawed(task, 4242, next.getMetadata().getUid()).expect(204);
        soon().until(() -> PodPatches.hasStarted(other.kubelet.get("next")));
    }

    @Test
    void aContentOfAnotherNamespaceIsNotBoundAndAPodIsNotSavedAsItsModel() {
        owner.snapshotReady(node, DRIVER);
        String content = owner.podSnapshot().getStatus().boundSnapshotContentName();
        Pod pod = other.runningPod("theirs", node, DRIVER);

        podSnapshot("of-a-content", new PodSnapshotSpec.Source(null, null, content));
        podSnapshot(
                "of-a-pod",
                new PodSnapshotSpec.Source("theirs", pod.getMetadata().getUid(), null));

        for (String name : List.of("of-a-content", "of-a-pod")) {
            soon().untilAsserted(() -> assertThat(other.podSnapshots())
                    .filteredOn(one -> one.getMetadata().getName().equals(name))
                    .singleElement()
                    .satisfies(one -> assertThat(Conditions.find(one.getStatus().conditions(), Conditions.READY)
                                    .orElseThrow()
                                    .getMessage())
                            .contains("belongs to namespace " + owner.namespace)));
        }
        assertThat(other.podSnapshots()).allMatch(PodSnapshotReconciler::hasFailed);
        assertThat(node.poll(0).status()).isEqualTo(204);
    }

    @Test
    void aPodStartsFromThePodSnapshotItNamesIfThatIsOfItsPolicysModel() {
        String snapshot = owner.snapshotReady(node, DRIVER);
        String own = owner.podSnapshot().getMetadata().getName();
        podSnapshot(
                owner.namespace,
                "foreign",
                other.model,
                new PodSnapshotSpec.Source(null, null, "snapcontent-elsewhere"));

        Pod ofItsOwn = owner.kubelet.submit(startingFrom("of-its-own", own));
        Pod ofAnother = owner.kubelet.submit(startingFrom("of-another", "foreign"));

        owner.gateIsOpen("of-its-own");
        owner.kubelet.bind("of-its-own", node.name());
        owner.kubelet.running("of-its-own", false);
        JsonNode task = Given.claim(node);
        assertThat(task.at("/thaw/container/podUid").asString())
                .isEqualTo(ofItsOwn.getMetadata().getUid());
        assertThat(task.at("/thaw/snapshotId").asString()).isEqualTo(snapshot);
        owner.startsCold(ofAnother, "INVALID_REQUEST: PodSnapshot foreign is of model " + other.model);
    }

    private Pod startingFrom(String name, String podSnapshot) {
        Pod pod = Kubelet.pod(owner.namespace, name, "llm", Given.IMAGE);
        pod.getMetadata().getAnnotations().put(PodNames.RESTORE_FROM, podSnapshot);
        return pod;
    }

    private void podSnapshot(String name, PodSnapshotSpec.Source source) {
        podSnapshot(other.namespace, name, owner.model, source);
    }

    private void podSnapshot(String namespace, String name, String model, PodSnapshotSpec.Source source) {
        podSnapshot(namespace, name, new PodSnapshotSpec(source, model, "v1", null, DeletionPolicy.DELETE));
    }

    private void podSnapshot(String namespace, String name, PodSnapshotSpec spec) {
        PodSnapshot resource = new PodSnapshot();
        resource.setMetadata(
                new ObjectMetaBuilder().withNamespace(namespace).withName(name).build());
        resource.setSpec(spec);
        other.client.resource(resource).create();
    }

    @Test
    void whoOnlyHasAPodSavedAsAModelHasNotMadeItHis() {
        // given a PodSnapshot by hand, of a model that nobody has
        Pod pod = other.runningPod("theirs", node, DRIVER);
        podSnapshot(
                "of-a-pod",
                new PodSnapshotSpec.Source("theirs", pod.getMetadata().getUid(), null));
        soon().untilAsserted(() -> assertThat(messageOf("of-a-pod")).contains("MODEL_NOT_FOUND"));

        // then the first policy that names it still has it
        owner.policy("llm", owner.spec());
        ownersPolicyIs("True WaitingForPods");
        othersPolicy();
        othersPolicyIs("False ModelNotShared");
    }

    @Test
    void aPolicyThatIsBeingDeletedDoesNotTakeItsModelBack() {
        // given a policy that somebody else holds back, of a model that nobody has made yet
        SnapshotPolicy leaving = new SnapshotPolicy();
        leaving.setMetadata(new ObjectMetaBuilder()
                .withNamespace(other.namespace)
                .withName("llm")
                .withFinalizers("example.com/held-back")
                .build());
        leaving.setSpec(Given.plain(
                owner.spec().selector(), owner.model, "v1", owner.spec().readiness()));
        other.client.resource(leaving).create();
        othersPolicyIs("True WaitingForPods");
        owner.policy("llm", owner.spec());
        ownersPolicyIs("False ModelNotShared");

        // when it goes, and is looked at once more
        other.client.resource(leaving).delete();
        soon().until(() -> jdbc.sql("SELECT namespace FROM kubernetes_model WHERE model_name = ?")
                .param(owner.model)
                .query(String.class)
                .optional()
                .isEmpty());
        editOthersPolicy(policy -> policy.getMetadata().setLabels(Map.of("looked", "at")));
        Given.quiet(operator);

        // then the other one, which names the model still, has it
        Given.edit(
                owner.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(owner.namespace)
                        .withName("llm"),
                policy -> policy.getMetadata().setLabels(Map.of("looked", "at")));
        ownersPolicyIs("True WaitingForPods");
        editOthersPolicy(policy -> policy.getMetadata().setFinalizers(List.of()));
    }

    private void editOthersPolicy(Consumer<SnapshotPolicy> change) {
        Given.edit(
                other.client
                        .resources(SnapshotPolicy.class)
                        .inNamespace(other.namespace)
                        .withName("llm"),
                change);
    }

    @Test
    void anOwnerIsNotForgottenWhileHisModelIsMade() throws Exception {
        // given a model that is made just now, of which no policy is known
        CompletableFuture<Void> forgetting = new CompletableFuture<>();
        transaction.executeWithoutResult(status -> {
            owners.claim(owner.namespace, owner.model);
            Thread.ofVirtual().start(() -> {
                owners.forget(owner.model);
                forgetting.complete(null);
            });
            soon().until(() -> forgetting.isDone() || somebodyWaitsForALock());
            models.create(owner.model, "", Map.of());
        });

        // then who comes too late to forget the owner sees the model
        forgetting.get(1, TimeUnit.MINUTES);
        assertThat(owners.objection(owner.namespace, owner.model)).isEmpty();
        assertThat(owners.objection(other.namespace, owner.model)).isPresent();
    }

    private boolean somebodyWaitsForALock() {
        return jdbc.sql("SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                        + " AND query LIKE '%kubernetes_model%')")
                .query(Boolean.class)
                .single();
    }

    @Test
    void aPodSnapshotOfAnotherModelIsNotThePolicysWhoseNameItHas() {
        owner.policy("llm", owner.spec());
        ownersPolicyIs("True WaitingForPods");

        podSnapshot(
                owner.namespace,
                "borrowed",
                new PodSnapshotSpec(
                        new PodSnapshotSpec.Source(null, null, "snapcontent-elsewhere"),
                        other.model,
                        "v1",
                        "llm",
                        DeletionPolicy.DELETE));
        soon().until(() -> !owner.podSnapshot().getStatus().conditions().isEmpty());
        Given.quiet(operator);

        ownersPolicyIs("True WaitingForPods");
        assertThat(policyOfOwner().getStatus().latestSnapshot()).isNull();
    }

    private void ownersPolicyIs(String reason) {
        soon().untilAsserted(() -> assertThat(
                        Given.reason(policyOfOwner().getStatus().conditions()))
                .isEqualTo(reason));
    }

    private String messageOf(String podSnapshot) {
        return Conditions.find(
                        other.client
                                .resources(PodSnapshot.class)
                                .inNamespace(other.namespace)
                                .withName(podSnapshot)
                                .get()
                                .getStatus()
                                .conditions(),
                        Conditions.READY)
                .orElseThrow()
                .getMessage();
    }

    @Test
    void aModelThatNoPolicyMadeIsForAllUntilItNamesSome() {
        api.once().post("/api/v1/models", Map.of("name", owner.model)).expect(201);
        othersPolicy();
        othersPolicyIs("True WaitingForPods");

        share(List.of(owner.namespace));
        othersPolicyIs("False ModelNotShared");

        share(List.of("*"));
        othersPolicyIs("True WaitingForPods");
    }

    @Test
    void aNameThatItsOwnerGivesUpIsTheNextOnes() {
        owner.policy("llm", owner.spec());
        soon().until(() ->
                !Given.reason(policyOfOwner().getStatus().conditions()).isEmpty());
        othersPolicy();
        othersPolicyIs("False ModelNotShared");

        // when the first one's policy goes before there was a snapshot
        owner.client.resource(policyOfOwner()).delete();

        // then whoever names it has it
        othersPolicyIs("True WaitingForPods");
    }

    private SnapshotPolicy policyOfOwner() {
        return owner.client
                .resources(SnapshotPolicy.class)
                .inNamespace(owner.namespace)
                .withName("llm")
                .get();
    }
}
