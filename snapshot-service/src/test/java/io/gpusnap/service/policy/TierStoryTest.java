package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.TestOutlook;
import io.gpusnap.service.tier.Store;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

/**
 * Days of a model's life under a policy, with daemons that speak the real node API. Time passes by making everything that the
 * database remembers older; nothing else about the service is simulated.
 */
@ServiceTest
class TierStoryTest {
    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private TestOutlook outlook;

    private final String policy = "story-" + UUID.randomUUID();
    private final FakeSharedStore bucket = new FakeSharedStore();
    private Catalogue catalogue;
    private FakeDaemon a;
    private FakeDaemon b;

    @BeforeEach
    void givenTwoNodesABucketAndAPolicy() {
        catalogue = Catalogue.create(api);
        a = FakeDaemon.start(api, bucket);
        b = FakeDaemon.start(api, bucket);
        api.once()
                .post(
                        "/api/v1/tier-policies",
                        Map.of(
                                "name",
                                policy,
                                "spec",
                                Map.of(
                                        "models",
                                        List.of(catalogue.model()),
                                        "enabled",
                                        true,
                                        "rules",
                                        List.of(
                                                Map.of(
                                                        "kind",
                                                        "minimum-copies",
                                                        "copies",
                                                        2,
                                                        "roles",
                                                        List.of("STABLE")),
                                                Map.of(
                                                        "kind",
                                                        "prefetch",
                                                        "expectedReplicas",
                                                        2,
                                                        "to",
                                                        "NVME",
                                                        "nodes",
                                                        2),
                                                Map.of("kind", "promote", "usedWithin", "PT2H", "to", "NVME"),
                                                Map.of(
                                                        "kind",
                                                        "demote",
                                                        "from",
                                                        "NVME",
                                                        "unusedFor",
                                                        "PT24H",
                                                        "roles",
                                                        List.of("HISTORY")),
                                                Map.of(
                                                        "kind",
                                                        "retention",
                                                        "maxAge",
                                                        "PT720H",
                                                        "roles",
                                                        List.of("HISTORY"))))))
                .expect(201);
    }

    @AfterEach
    void thePolicyGoes() {
        api.with("If-Match", "*").delete("/api/v1/tier-policies/" + policy);
    }

    /** Everything that is remembered of this story's model gets older. */
    private void pass(Duration time) {
        String mine = "(SELECT id FROM snapshot WHERE model_name = :model)";
        for (String older : List.of(
                "snapshot SET ready_at = ready_at - :time, verified_at = verified_at - :time WHERE model_name = :model",
                "snapshot_location SET since = since - :time, confirmed_at = confirmed_at - :time, verified_at = verified_at - :time"
                        + " WHERE snapshot_id IN " + mine,
                "restore SET created_at = created_at - :time WHERE snapshot_id IN " + mine)) {
            jdbc.sql("UPDATE " + older.replace(":time", "make_interval(secs => :seconds)"))
                    .param("seconds", time.toSeconds())
                    .param("model", catalogue.model())
                    .update();
        }
    }

    /** The policy is carried out, and the daemons do and report, until nothing is left to do. */
    private void settle() {
        for (int i = 0; i < 10; i++) {
            api.post("/api/v1/tier-policies/" + policy + "/evaluations", Map.of("dryRun", false))
                    .expect(200);
            int done = a.work() + b.work();
            a.heartbeat();
            b.heartbeat();
            if (done == 0) {
                return;
            }
        }
        throw new AssertionError("the policy never comes to rest");
    }

    private JsonNode explain(String snapshot) {
        return api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json();
    }

    /** Where good copies are: {@code a}, {@code b} and {@code s3}; a copy in another state has that behind. */
    private Set<String> places(String snapshot) {
        Map<String, String> names = Map.of(own(a), "a", own(b), "b", bucket.id().toString(), "s3");
        Set<String> places = new TreeSet<>();
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            String state = location.path("state").asString();
            places.add(names.get(location.path("storeId").asString()) + (state.equals("PRESENT") ? "" : " " + state));
        }
        return places;
    }

    private static String own(FakeDaemon daemon) {
        return Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME).toString();
    }

    private void alias(String name, String version) {
        api.once()
                .post(
                        "/api/v1/models/" + catalogue.model() + "/aliases",
                        Map.of("name", name, "version", version, "reason", "the story"))
                .expect(201);
    }

    @Test
    void aModelsSnapshotsLiveUnderTheirPolicy() {
        // a snapshot of the stable version gets its second copy
        String v1 = a.save(catalogue, 41);
        JsonNode before = explain(v1);
        settle();
        assertThat(before.path("role").asString()).isEqualTo("STABLE");
        assertThat(before.at("/decisions/0/reason").asString()).isEqualTo("It has 1 durable copy and should have 2.");
        assertThat(places(v1)).containsExactly("a", "s3");

        // a day later a new version is stable, and the old one, not thawed since, leaves the disk
        api.once()
                .post(
                        "/api/v1/models/" + catalogue.model() + "/versions",
                        Map.of("name", "v2", "image", "llm@sha256:2"))
                .expect(201);
        alias("stable", "v2");
        pass(Duration.ofHours(25));
        JsonNode demotion = explain(v1);
        settle();
        assertThat(demotion.path("role").asString()).isEqualTo("HISTORY");
        assertThat(demotion.at("/decisions/0/action").asString()).isEqualTo("REMOVE");
        assertThat(demotion.at("/decisions/0/reason").asString())
                .isEqualTo("It was not thawed for 1 d 1 h; after 1 d it leaves NVME.");
        assertThat(places(v1)).containsExactly("s3");
        assertThat(a.own()).isEmpty();

        // somebody needs it all the same: it comes back through the bucket, and for a while it is on a disk again
        catalogue.restore(v1).expect(202);
        a.work();
        b.work();
        JsonNode promotion = explain(v1);
        settle();
        assertThat(promotion.at("/decisions/0/rule").asString()).isEqualTo("promote");
        assertThat(promotion.at("/decisions/0/reason").asString())
                .isEqualTo("It was last thawed 0 min ago; within 2 h it should be on NVME.");
        assertThat(places(v1)).hasSize(2).contains("s3");

        // the day after that nobody did, and it leaves again
        pass(Duration.ofHours(25));
        settle();
        assertThat(places(v1)).containsExactly("s3");

        // the forecast expects many, and the snapshot is on both disks before they come; until then nothing takes it
        // away
        outlook.expect(Map.of(catalogue.model(), 5.0));
        JsonNode prefetch = explain(v1);
        settle();
        assertThat(prefetch.path("expectedReplicas").asDouble()).isEqualTo(5.0);
        assertThat(prefetch.at("/decisions/0/rule").asString()).isEqualTo("prefetch");
        assertThat(prefetch.at("/decisions/0/priority").asString()).isEqualTo("URGENT");
        assertThat(places(v1)).containsExactly("a", "b", "s3");
        assertThat(explain(v1).at("/decisions/0/action").asString()).isEqualTo("KEEP");
        assertThat(explain(v1).at("/decisions/0/rule").asString()).isEqualTo("prefetch");

        // the wave is over
        outlook.expect(Map.of());
        settle();
        assertThat(places(v1)).containsExactly("s3");

        // a month without use ends its life, everywhere
        pass(Duration.ofDays(31));
        JsonNode end = explain(v1);
        settle();
        assertThat(end.at("/decisions/0/rule").asString()).isEqualTo("retention");
        assertThat(end.at("/decisions/0/action").asString()).isEqualTo("DELETE");
        assertThat(catalogue.snapshot(v1).path("state").asString()).isEqualTo("DELETED");
        assertThat(places(v1)).isEmpty();
    }
}
