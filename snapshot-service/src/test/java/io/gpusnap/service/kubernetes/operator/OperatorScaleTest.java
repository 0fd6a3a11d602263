package io.gpusnap.service.kubernetes.operator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.gpusnap.service.kubernetes.crd.Crd;
import io.gpusnap.service.kubernetes.crd.Model;
import io.gpusnap.service.kubernetes.crd.PodSnapshot;
import io.gpusnap.service.kubernetes.crd.PodSnapshotSpec;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicy;
import io.gpusnap.service.kubernetes.crd.SnapshotPolicySpec;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.start.Start;
import io.gpusnap.service.kubernetes.start.Starts;
import io.gpusnap.service.kubernetes.testing.ClusterUnderTest;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.kubernetes.testing.RecordedCalls;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** What the operator does is bounded by what changes, and not by what there is. */
@KubernetesTest
class OperatorScaleTest {
    private static final String DRIVER = "580.1";
    private static final int PODS = 5_000;
    private static final int POLICIES = 500;
    /** From warm to READY, with the races that are lost and done again. */
    private static final long MOST_CALLS = 20;
    /** So many of one kind may be lost and done again among many while none was among few. */
    private static final long LOST_RACES = 3;

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    @Autowired
    private Watched watched;

    @Autowired
    private RecordedCalls calls;

    @Autowired
    private Starts starts;

    private Given given;

    private void quiet() {
        Given.quiet(operator);
    }

    @AfterEach
    void itLeadsAgain() {
        if (!operator.isRunning()) {
            operator.start();
        }
    }

    /** What it calls when it starts again. */
    private Map<String, Long> restart() {
        quiet();
        operator.stop();
        Map<String, Long> before = calls.counts();
        operator.start();
        quiet();
        return calls.since(before);
    }

    private static Map<String, Long> writes(Map<String, Long> calls) {
        return calls.entrySet().stream()
                .filter(RecordedCalls.writes())
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    /** Without what is looked at by a clock. */
    private static long total(Map<String, Long> calls) {
        return calls.entrySet().stream()
                .filter(RecordedCalls.ofChanges())
                .mapToLong(Map.Entry::getValue)
                .sum();
    }

    private static void each(int count, IntConsumer action) {
        List<Future<?>> all = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < count; i++) {
                int number = i;
                all.add(threads.submit(() -> action.accept(number)));
            }
        }
        assertThat(all).allSatisfy(one -> assertThat(one.state()).isEqualTo(Future.State.SUCCESS));
    }

    private SnapshotPolicySpec spec(int number) {
        return Given.plain(
                new LabelSelectorBuilder()
                        .addToMatchLabels("app", "app-" + number)
                        .build(),
                given.model + "-" + number,
                "v1",
                new SnapshotPolicySpec.Readiness(null, 0));
    }

    /** Policies, each with a snapshot that somebody else looks after, so that its pods want none. */
    private void policies(int from, int count) {
        each(count, i -> {
            int number = from + i;
            SnapshotPolicy policy = new SnapshotPolicy();
            policy.setMetadata(new ObjectMetaBuilder()
                    .withNamespace(given.namespace)
                    .withName("policy-" + number)
                    .withFinalizers(Crd.FINALIZER)
                    .build());
            policy.setSpec(spec(number));
            ClusterUnderTest.load(policy);
            PodSnapshot taken = new PodSnapshot();
            taken.setMetadata(new ObjectMetaBuilder()
                    .withNamespace(given.namespace)
                    .withFinalizers(Crd.FINALIZER)
                    .withName("policy-" + number)
                    .build());
            taken.setSpec(new PodSnapshotSpec(
                    new PodSnapshotSpec.Source(null, null, "snapcontent-elsewhere"),
                    given.model + "-" + number,
                    "v1",
                    "policy-" + number,
                    null));
            ClusterUnderTest.load(taken);
        });
        // the mock does not answer for a minute when a watch ends that has not been told of everything
        await().atMost(Duration.ofMinutes(3))
                .until(() -> IntStream.range(from, from + count)
                        .mapToObj(number -> "policy-" + number)
                        .allMatch(name -> watched.policy(new Key(Key.Kind.POLICY, given.namespace, name))
                                        .isPresent()
                                && watched.podSnapshot(new Key(Key.Kind.POD_SNAPSHOT, given.namespace, name))
                                        .isPresent()));
    }

    /**
     * Pods as the webhook makes them, while nobody leads: most have started, from a snapshot or cold, and are ready; of each
     * hundred one was placed and waits for the scheduler. What is written when somebody leads who has never seen them.
     */
    private Map<String, Long> pods(int from, int count) {
        NodeId node = NodeId.of(given.node(DRIVER).id());
        quiet();
        operator.stop();
        each(count, i -> {
            int number = from + i;
            PodBuilder pod = new PodBuilder(
                            Kubelet.pod(given.namespace, "pod-" + number, "app-" + number % POLICIES, Given.IMAGE))
                    .editMetadata()
                    .addToAnnotations(PodNames.WAITS, "server")
                    .addToAnnotations(PodNames.START, number % 2 == 0 ? "RESTORE" : "COLD")
                    .endMetadata();
            ClusterUnderTest.load(
                    isPlaced(number)
                            ? pod.build()
                            : pod.withNewStatus()
                                    .addToConditions(isTrue("Ready"), isTrue(PodNames.STARTED))
                                    .endStatus()
                                    .build());
        });
        Map<String, UUID> uids = uids();
        IntStream.range(from, from + count)
                .filter(OperatorScaleTest::isPlaced)
                .mapToObj(number -> "pod-" + number)
                .forEach(name -> starts.placed(new Starts.PodRef(uids.get(name), given.namespace, name), node));
        Supplier<Map<String, Long>> since = calls.from(given.namespace);
        operator.start();
        quiet();
        return writes(since.get());
    }

    private static boolean isPlaced(int number) {
        return number % 100 == 10;
    }

    private Map<String, UUID> uids() {
        return given.client.pods().inNamespace(given.namespace).list().getItems().stream()
                .collect(Collectors.toMap(
                        pod -> pod.getMetadata().getName(),
                        pod -> UUID.fromString(pod.getMetadata().getUid())));
    }

    private static PodCondition isTrue(String type) {
        return new PodConditionBuilder()
                .withType(type)
                .withStatus("True")
                .withLastTransitionTime("2026-01-01T00:00:00Z")
                .build();
    }

    /** A pod of a policy of its own becomes warm: what its first snapshot costs until it is READY. */
    private Map<String, Long> oneChange(String name) {
        SimulatedNode node = given.node(DRIVER);
        SnapshotPolicySpec spec = spec(0);
        given.policy(
                name,
                Given.plain(
                        new LabelSelectorBuilder()
                                .addToMatchLabels("app", "llm")
                                .addToMatchLabels("set", name)
                                .build(),
                        given.model + "-" + name,
                        name,
                        spec.readiness()));
        Pod pod = given.client
                .resource(new PodBuilder(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                        .editMetadata()
                        .addToLabels("set", name)
                        .endMetadata()
                        .build())
                .create();
        given.reports(node, DRIVER, pod);
        given.kubelet.bind(name, node.name());
        quiet();
        String model = given.model + "-" + name;
        Supplier<Map<String, Long>> made = calls.fromChange(model);
        given.kubelet.running(name, true);
        given.saves(node);
        await().atMost(Duration.ofMinutes(1))
                .until(() -> given.podSnapshots().stream()
                        .filter(one -> name.equals(one.getSpec().policy()))
                        .anyMatch(PodSnapshotReconciler::isReady));
        // a clock has it shown
        await().atMost(Duration.ofMinutes(1))
                .until(() -> watched.model(model)
                        .map(Model::getStatus)
                        .filter(status -> Integer.valueOf(1).equals(status.versions()))
                        .isPresent());
        quiet();
        return made.get();
    }

    /** What it costs that somebody edits the spec of a policy that has pods. */
    private Map<String, Long> oneEdit(int maxAttempts) {
        quiet();
        Supplier<Map<String, Long>> made = calls.fromChange(given.model + "-0");
        Resource<SnapshotPolicy> policy = given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .withName("policy-0");
        Long edited = policy.patch(
                        PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"maxAttempts\":" + maxAttempts + "}}")
                .getMetadata()
                .getGeneration();
        await().atMost(Duration.ofMinutes(1))
                .until(() -> edited.equals(policy.get().getStatus().observedGeneration()));
        quiet();
        return made.get();
    }

    /** Each kind of call, and not only their number: what grows with what there is must not hide behind what does not. */
    private static void costsTheSame(Map<String, Long> amongFew, Map<String, Long> amongMany) {
        assertThat(amongMany)
                .allSatisfy((call, count) -> assertThat(count)
                        .as("%s among many, among few %s", call, amongFew)
                        .isLessThanOrEqualTo(amongFew.getOrDefault(call, 0L) + LOST_RACES));
    }

    @Test
    void aChangeCostsTheSameAmongThousandsAndARestartWritesNothing() {
        given = new Given(api);
        policies(0, 10);
        pods(0, 20);
        Map<String, Long> amongFew = oneChange("few");
        Map<String, Long> editAmongFew = oneEdit(4);

        policies(10, POLICIES - 10);
        Map<String, Long> firstStart = pods(20, PODS - 20);
        Map<String, Long> amongMany = oneChange("many");
        Map<String, Long> editAmongMany = oneEdit(5);

        // then
        assertThat(amongFew)
                .containsKeys("create podsnapshots", "create models", "patch models/status")
                .satisfies(all -> assertThat(total(all)).isLessThanOrEqualTo(MOST_CALLS));
        costsTheSame(amongFew, amongMany);
        assertThat(editAmongFew).containsOnlyKeys("patch snapshotpolicies/status");
        costsTheSame(editAmongFew, editAmongMany);

        assertThat(firstStart)
                .as("of pods that it has never seen it writes nothing")
                .isEmpty();

        // when the operator starts again, then it writes no more than models that are new since its clock has ticked
        Supplier<Map<String, Long>> ofTheNamespace = calls.from(given.namespace);
        assertThat(total(writes(restart()))).isLessThanOrEqualTo(MOST_CALLS);
        assertThat(writes(ofTheNamespace.get())).isEmpty();

        // when it does once more, then it lists and watches each kind, looks for archives, and writes nothing
        Map<String, Long> restart = restart();
        assertThat(writes(restart)).isEmpty();
        assertThat(restart.entrySet().stream()
                        .filter(RecordedCalls.ofTheOperator())
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)))
                .hasSize(19)
                .allSatisfy((call, count) -> assertThat(count).as(call).isLessThanOrEqualTo(2));
        Map<String, UUID> uids = uids();
        assertThat(uids).hasSize(PODS + 2);
        assertThat(IntStream.range(0, PODS).filter(OperatorScaleTest::isPlaced))
                .as("those that wait for the scheduler do so still")
                .allSatisfy(number -> assertThat(
                                starts.find(uids.get("pod-" + number)).map(Start::phase))
                        .contains(Start.Phase.PLACED));
        given.client
                .resources(SnapshotPolicy.class)
                .inNamespace(given.namespace)
                .delete();
    }
}
