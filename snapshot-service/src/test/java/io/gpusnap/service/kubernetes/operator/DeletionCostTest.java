package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.gpusnap.service.kubernetes.start.PodNames;
import io.gpusnap.service.kubernetes.testing.Kubelet;
import io.gpusnap.service.kubernetes.testing.KubernetesTest;
import io.gpusnap.service.kubernetes.testing.RecordedCalls;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;

/** A ReplicaSet that is scaled down keeps the pods that are placed best, and nobody is written to for nothing. */
@KubernetesTest
class DeletionCostTest {
    private static final String DRIVER = "580.1";

    @Autowired
    private Api api;

    @Autowired
    private Operator operator;

    @Autowired
    private RecordedCalls calls;

    private final String set = UUID.randomUUID().toString();
    private Given given;
    private SimulatedNode stored;
    private SimulatedNode hot;
    private SimulatedNode bare;

    @BeforeEach
    void givenASnapshotOnSomeNodes() {
        given = new Given(api);
        stored = given.node(DRIVER);
        hot = given.node(DRIVER);
        bare = given.node(DRIVER);
        String snapshot = given.snapshotReady(stored, DRIVER);
        Map<String, Object> inventory = Given.inventory(DRIVER);
        inventory.put("snapshots", List.of(snapshot));
        List<Object> tiers = new ArrayList<>((List<?>) inventory.get("tiers"));
        tiers.add(Map.of(
                "kind",
                "MEMORY",
                "capacityBytes",
                1L << 30,
                "freeBytes",
                1L << 29,
                "usedBytes",
                1L << 29,
                "residents",
                List.of(Map.of("snapshotId", snapshot, "bytes", 4096, "totalBytes", 4096))));
        inventory.put("tiers", tiers);
        hot.heartbeat(inventory, List.of(), List.of()).expect(200);
    }

    private void replica(String name, SimulatedNode node, Map<String, String> annotations) {
        given.client
                .resource(new PodBuilder(Kubelet.pod(given.namespace, name, "llm", Given.IMAGE))
                        .editMetadata()
                        .addToAnnotations(annotations)
                        .withOwnerReferences(new OwnerReferenceBuilder()
                                .withApiVersion("apps/v1")
                                .withKind("ReplicaSet")
                                .withName("llm")
                                .withUid(set)
                                .withController(true)
                                .build())
                        .endMetadata()
                        .build())
                .create();
        soon().until(() -> !PodPatches.isGated(given.kubelet.get(name)));
        given.kubelet.bind(name, node.name());
    }

    private String cost(String name) {
        Map<String, String> annotations = given.kubelet.get(name).getMetadata().getAnnotations();
        return annotations.get(PodNames.DELETION_COST) + " " + annotations.get(PodNames.STANDING);
    }

    private static void nothingIsCalledFor(Duration time, Supplier<Map<String, Long>> made) {
        await().during(time)
                .atMost(Duration.ofMinutes(1))
                .untilAsserted(() -> assertThat(made.get()).isEmpty());
    }

    @Test
    void thePodThatIsPlacedBestCostsMostAndEachIsWrittenOnce() {
        replica("on-stored", stored, Map.of());
        replica("on-hot", hot, Map.of());
        replica("on-bare", bare, Map.of());
        replica("of-its-owner", hot, Map.of(PodNames.DELETION_COST, "7"));
        soon().untilAsserted(() -> {
            assertThat(cost("on-stored")).isEqualTo("100 stored");
            assertThat(cost("on-hot")).isEqualTo("200 hot");
        });
        assertThat(cost("on-bare")).as("what is not said is 0").isEqualTo("null null");
        assertThat(cost("of-its-owner")).isEqualTo("7 null");

        // when nothing changes, then nothing is called, however often it is looked
        Given.quiet(operator);
        Supplier<Map<String, Long>> made = calls.from(given.namespace);
        nothingIsCalledFor(Duration.ofSeconds(3), made);

        // when a node is closed, then its pods are the first to go, at the price of one call each
        String path = "/api/v1/nodes/" + hot.id();
        api.with("If-Match", api.get(path).expect(200).header("ETag"))
                .patch(path, Map.of("schedulable", false))
                .expect(200);
        soon().untilAsserted(() -> assertThat(cost("on-hot")).isEqualTo("-100 leaving"));
        assertThat(made.get()).containsExactly(Map.entry("patch pods", 1L));
    }

    @Test
    void podsThatStandAlikeAreLeftAlone() {
        replica("one", stored, Map.of());
        replica("two", stored, Map.of());
        Given.quiet(operator);

        nothingIsCalledFor(Duration.ofSeconds(5), calls.from(given.namespace));

        assertThat(cost("one")).isEqualTo("null null");
    }
}
