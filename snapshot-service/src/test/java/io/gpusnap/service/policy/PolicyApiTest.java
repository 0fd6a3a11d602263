package io.gpusnap.service.policy;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;

@ServiceTest
class PolicyApiTest {
    private static final String POLICIES = "/api/v1/tier-policies";

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    private final String name = "p-" + UUID.randomUUID();
    private final FakeSharedStore bucket = new FakeSharedStore();
    private Catalogue catalogue;
    private FakeDaemon daemon;
    private String snapshot;

    @BeforeEach
    void givenASnapshotOnANodeWithABucket() {
        catalogue = Catalogue.create(api);
        daemon = FakeDaemon.start(api, bucket);
        snapshot = daemon.save(catalogue, 21);
    }

    /** Other tests' snapshots are none of this policy's business, and the other way round. */
    @AfterEach
    void policiesGo() {
        api.with("If-Match", "*").delete(POLICIES + "/" + name);
    }

    private Map<String, Object> spec(Object... rules) {
        return Map.of("models", List.of(catalogue.model()), "enabled", true, "rules", List.of(rules));
    }

    private Reply create(Object... rules) {
        return api.once().post(POLICIES, Map.of("name", name, "spec", spec(rules)));
    }

    private JsonNode evaluate(boolean dryRun) {
        return api.post(POLICIES + "/" + name + "/evaluations", Map.of("dryRun", dryRun))
                .expect(200)
                .json()
                .path("decisions");
    }

    private static Map<String, Object> twoCopies() {
        return Map.of("kind", "minimum-copies", "copies", 2);
    }

    @Test
    void aDryRunTellsWhatWouldBeDoneAndDoesNothing() {
        create(twoCopies()).expect(201);

        JsonNode decisions = evaluate(true);

        assertThat(decisions).hasSize(1);
        assertThat(decisions.at("/0/action").asString()).isEqualTo("COPY");
        assertThat(decisions.at("/0/storeId").asString()).isEqualTo(bucket.id().toString());
        assertThat(decisions.at("/0/nodeId").asString()).isEqualTo(daemon.id());
        assertThat(decisions.at("/0/reason").asString()).isEqualTo("It has 1 durable copy and should have 2.");
        assertThat(decisions.at("/0").has("result")).isFalse();
        assertThat(daemon.claim()).isEmpty();
    }

    @Test
    void anEvaluationQueuesWhatItDecidesOnce() {
        create(twoCopies()).expect(201);

        JsonNode first = evaluate(false);
        JsonNode again = evaluate(false);
        daemon.work();
        JsonNode after = evaluate(false);

        assertThat(first.at("/0/result").asString()).isEqualTo("QUEUED");
        assertThat(catalogue
                        .operation(first.at("/0/operationId").asString())
                        .path("kind")
                        .asString())
                .isEqualTo("TRANSFER");
        assertThat(again).isEmpty();
        assertThat(after).isEmpty();
        assertThat(daemon.done()).containsExactly("TRANSFER " + snapshot);
    }

    @Test
    void theLimitOnMovesDefersTheRestAndSaysSo() {
        daemon.save(catalogue, 22);
        daemon.save(catalogue, 23);
        create(twoCopies()).expect(201);

        JsonNode decisions = evaluate(false);

        assertThat(decisions).hasSize(3);
        assertThat(decisions.at("/0/result").asString()).isEqualTo("QUEUED");
        assertThat(decisions.at("/1/result").asString()).isEqualTo("QUEUED");
        assertThat(decisions.at("/2/result").asString()).isEqualTo("DEFERRED");
        assertThat(decisions.at("/2/deferredBecause").asString()).contains("the limits are 8 and 2");
    }

    @Test
    void aStoreThatDoesNotAnswerIsWaitedForAndThenStoodInFor() {
        // given two copies, and a second node with a disk
        FakeDaemon other = FakeDaemon.start(api, bucket);
        create(twoCopies()).expect(201);
        evaluate(false);
        daemon.work();

        // when the first node finds its own disk broken
        daemon.tierHealth("nvme", "UNHEALTHY");
        daemon.heartbeat();
        JsonNode soon = evaluate(true);
        jdbc.sql("UPDATE node_tier SET answered_at = answered_at - interval '16 minutes' WHERE node_id = ?::uuid")
                .param(daemon.id())
                .update();
        JsonNode later = evaluate(true);

        // then nothing is copied at once, and one copy is made when it lasts
        assertThatItsStoreIsWaitedFor(soon);
        assertThat(later).hasSize(1);
        assertThat(later.at("/0/action").asString()).isEqualTo("COPY");
        assertThat(later.at("/0/nodeId").asString()).isEqualTo(other.id());

        // and no second one, however often the disk comes and goes
        evaluate(false);
        other.work();
        assertThat(evaluate(false)).isEmpty();
        daemon.tierHealth("nvme", "HEALTHY");
        daemon.heartbeat();
        assertThat(evaluate(false)).isEmpty();
        daemon.tierHealth("nvme", "UNHEALTHY");
        daemon.heartbeat();
        assertThat(evaluate(false)).isEmpty();
    }

    private static void assertThatItsStoreIsWaitedFor(JsonNode decisions) {
        assertThat(decisions).hasSize(1);
        assertThat(decisions.at("/0/action").asString()).isEqualTo("BLOCKED");
        assertThat(decisions.at("/0/reason").asString())
                .startsWith("It has 1 durable copy, 1 more in a store that does not answer for the moment, and should");
    }

    @Test
    void aStoreThatIsSilentIsWaitedForThoughDaemonsBeginAnewMeanwhile() {
        // given two copies, one of them in a bucket, and a second node with a disk
        FakeDaemon other = FakeDaemon.start(api, bucket);
        create(twoCopies()).expect(201);
        evaluate(false);
        daemon.work();

        // when the bucket falls silent, and every daemon begins anew before it answers again
        for (FakeDaemon one : List.of(daemon, other)) {
            one.tierHealth("s3", "UNHEALTHY");
            one.restart();
        }
        JsonNode soon = evaluate(true);
        JsonNode seen =
                api.get("/api/v1/stores/" + bucket.id()).expect(200).json().path("seenBy");
        jdbc.sql("UPDATE node_tier SET answered_at = answered_at - interval '16 minutes' WHERE store_id = ?")
                .param(bucket.id())
                .update();
        JsonNode later = evaluate(true);

        // then it is waited for, both nodes tell of their trouble with it, and it is given up when that lasts
        assertThatItsStoreIsWaitedFor(soon);
        assertThat(seen).hasSize(2).allSatisfy(tier -> {
            assertThat(tier.path("health").asString()).isEqualTo("UNHEALTHY");
            assertThat(tier.path("healthReason").asString()).isEqualTo("as the test wants it");
        });
        assertThat(later).hasSize(1);
        assertThat(later.at("/0/reason").asString())
                .startsWith("It has 1 durable copy, 1 more in a store that has not answered for long, and should");

        // and all is as before when it answers
        for (FakeDaemon one : List.of(daemon, other)) {
            one.tierHealth("s3", "HEALTHY");
            one.heartbeat();
        }
        assertThat(evaluate(true)).isEmpty();
    }

    @Test
    void aTierThatIsTakenOffANodeIsNoLongerSeenByIt() {
        FakeDaemon other = FakeDaemon.start(api, bucket);
        SimulatedNode.register(
                api, daemon.node().name(), SimulatedNode.inventory(Map.of("criu+cuda", "", "transfer", "")));

        JsonNode seen =
                api.get("/api/v1/stores/" + bucket.id()).expect(200).json().path("seenBy");

        assertThat(seen).hasSize(1);
        assertThat(seen.at("/0/nodeId").asString()).isEqualTo(other.id());
    }

    @Test
    void whatNobodyCanReadIsCountedForWhatItIs() {
        // given two copies, of which the one in the bucket is sealed for a tenant
        FakeDaemon other = FakeDaemon.start(api, bucket);
        daemon.holdsKeysOf("tenant-a", "signer");
        daemon.heartbeat();
        create(twoCopies(), Map.of("kind", "archive", "to", "S3", "unusedFor", "PT1M"))
                .expect(201);
        evaluate(false);
        daemon.work();

        // when the one node that has the key begins without it, long after the snapshot was used
        other.holdsKeysOf("tenant-b", "signer");
        other.heartbeat();
        daemon.holdsKeysOf("tenant-b", "signer");
        daemon.heartbeat();
        jdbc.sql("UPDATE snapshot SET ready_at = ready_at - interval '1 hour' WHERE id = ?::uuid")
                .param(snapshot)
                .update();
        JsonNode soon = evaluate(true);
        JsonNode explained = api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json();

        // then the copy that can be read stays, and it is said why
        assertThat(soon.valueStream().map(one -> one.path("action").asString()))
                .containsExactlyInAnyOrder("BLOCKED", "KEEP");
        assertThat(soon.valueStream()
                        .filter(one -> one.path("action").asString().equals("BLOCKED"))
                        .map(one -> one.path("reason").asString()))
                .containsExactly(
                        "It has 1 durable copy, 1 more that no node can read for the moment, and should have 2."
                                + " Should a scrub not be able to read it, another store gets a copy.");
        assertThat(explained
                        .path("copies")
                        .valueStream()
                        .filter(one -> one.path("tier").asString().equals("S3"))
                        .map(one -> one.path("unreadable").asString()))
                .containsExactly("NO_READER");

        // when a scrub has found the same
        jdbc.sql("UPDATE snapshot_location SET unread = 'NO_KEY' WHERE store_id = ?")
                .param(bucket.id())
                .update();
        JsonNode later = evaluate(true);

        // then another store would get a copy, if there was one, and nothing goes
        assertThat(later.at("/0/reason").asString())
                .startsWith("It has 1 durable copy, 1 more that a scrub could not read, and should have 2. No store");
        assertThat(later.valueStream().map(one -> one.path("action").asString()))
                .doesNotContain("REMOVE");
    }

    @Test
    void aModelIsUnderOnePolicy() {
        create(twoCopies()).expect(201);
        String other = "a" + name;

        // when another enabled one names the model as well
        Reply second = api.once().post(POLICIES, Map.of("name", other, "spec", spec(twoCopies())));

        // then it is refused with the other's name, unless it is disabled, and may not be enabled later
        assertThat(second.code()).isEqualTo("TIER_POLICY_OVERLAP");
        assertThat(second.status()).isEqualTo(409);
        assertThat(second.json().path("detail").asString())
                .isEqualTo("Tier policy " + name + " decides about model " + catalogue.model() + " already.");
        Map<String, Object> disabled = new HashMap<>(spec(twoCopies()));
        disabled.put("enabled", false);
        api.once().post(POLICIES, Map.of("name", other, "spec", disabled)).expect(201);
        Reply enabled = api.with("If-Match", "*").put(POLICIES + "/" + other, spec(twoCopies()));
        assertThat(enabled.code()).isEqualTo("TIER_POLICY_OVERLAP");
        assertThat(api.get(POLICIES + "/" + other)
                        .expect(200)
                        .json()
                        .at("/spec/enabled")
                        .asBoolean())
                .isFalse();

        // and what is enabled may be changed
        api.with("If-Match", "*").put(POLICIES + "/" + name, spec(twoCopies())).expect(200);
        api.with("If-Match", "*").delete(POLICIES + "/" + other).expect(204);
    }

    @Test
    void onePolicyIsForAllModelsThatNoOtherNames() {
        // given one, of which nobody else notices anything
        Map<String, Object> all = Map.of(
                "enabled",
                true,
                "rules",
                List.of(Map.of("kind", "pin", "model", "none", "version", "none", "tier", "S3")));
        api.once().post(POLICIES, Map.of("name", name, "spec", all)).expect(201);

        Reply second = api.once().post(POLICIES, Map.of("name", "z" + name, "spec", all));

        assertThat(second.code()).isEqualTo("TIER_POLICY_OVERLAP");
        assertThat(second.json().path("detail").asString())
                .isEqualTo("Tier policy " + name + " decides about every model that no policy names already.");
    }

    @Test
    void ofTwoFromBeforeThatAreForAllModelsTheFirstByNameDecides() {
        String second = "z" + name;
        String spec = Api.JSON.writeValueAsString(Map.of("enabled", true, "rules", List.of(twoCopies())));
        for (String one : List.of(name, second)) {
            jdbc.sql("INSERT INTO tier_policy VALUES (?, ?::jsonb, now() + interval '1 day', 0, now(), now())")
                    .params(one, spec)
                    .update();
        }

        JsonNode ofSecond = api.post(POLICIES + "/" + second + "/evaluations", Map.of("dryRun", true))
                .expect(200)
                .json()
                .path("decisions");

        assertThat(evaluate(true).valueStream())
                .anyMatch(one -> one.path("snapshotId").asString().equals(snapshot));
        assertThat(ofSecond).isEmpty();
        assertThat(api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                        .expect(200)
                        .json()
                        .path("policy")
                        .asString())
                .isEqualTo(name);
        api.with("If-Match", "*").delete(POLICIES + "/" + second).expect(204);
    }

    @Test
    void aDisabledPolicyOnlyDecidesAsADryRun() {
        Map<String, Object> disabled = new HashMap<>(spec(twoCopies()));
        disabled.put("enabled", false);
        api.once().post(POLICIES, Map.of("name", name, "spec", disabled)).expect(201);

        Reply run = api.post(POLICIES + "/" + name + "/evaluations", Map.of("dryRun", false));

        assertThat(run.status()).isEqualTo(409);
        assertThat(run.code()).isEqualTo("TIER_POLICY_DISABLED");
        assertThat(evaluate(true)).hasSize(1);
        assertThat(daemon.claim()).isEmpty();
    }

    @Test
    void explainNamesPolicyRoleAndReason() {
        create(twoCopies(), Map.of("kind", "demote", "from", "NVME", "unusedFor", "PT1M"))
                .expect(201);

        JsonNode explanation = api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json();

        assertThat(explanation.path("policy").asString()).isEqualTo(name);
        assertThat(explanation.path("role").asString()).isEqualTo("STABLE");
        assertThat(explanation.at("/decisions/0/rule").asString()).isEqualTo("minimum-copies");
    }

    @Test
    void aSnapshotUnderNoPolicySaysSo() {
        JsonNode explanation = api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json();

        assertThat(explanation.has("policy")).isFalse();
        assertThat(explanation.path("decisions")).isEmpty();
    }

    @Test
    void policiesAreChangedUnderTheirETag() {
        Reply created = create(twoCopies()).expect(201);
        String path = POLICIES + "/" + name;

        Reply replaced = api.with("If-Match", created.header("ETag"))
                .send("PUT", path, java.net.http.HttpRequest.BodyPublishers.ofString("x"));
        Reply stale = api.with("If-Match", "\"77\"").put(path, spec(twoCopies()));
        Reply good = api.with("If-Match", created.header("ETag"))
                .put(path, spec(Map.of("kind", "minimum-copies", "copies", 3)));

        assertThat(replaced.code()).isEqualTo("UNSUPPORTED_MEDIA_TYPE");
        assertThat(stale.code()).isEqualTo("PRECONDITION_FAILED");
        assertThat(good.expect(200).json().at("/spec/rules/0/copies").asInt()).isEqualTo(3);
        assertThat(api.get(POLICIES).expect(200).json().path("items")).isNotEmpty();
        assertThat(create(twoCopies()).code()).isEqualTo("NAME_TAKEN");
        assertThat(api.get(POLICIES + "/none").code()).isEqualTo("TIER_POLICY_NOT_FOUND");
    }

    @Test
    void rulesThatMakeNoSenseAreRefusedWithTheirPlace() {
        Reply marks = create(twoCopies(), Map.of("kind", "watermark", "tier", "NVME", "high", 0.5, "low", 0.9));
        Reply none = create(Map.of("kind", "minimum-copies", "copies", 0));
        Reply unknown = create(Map.of("kind", "magic"));

        assertThat(marks.expect(400).json().at("/errors/0/pointer").asString()).isEqualTo("/rules/1");
        assertThat(none.code()).isEqualTo("INVALID_REQUEST");
        assertThat(unknown.status()).isEqualTo(400);
    }

    @Test
    void storesAreListedWithTheNodesThatSeeThem() {
        JsonNode store = api.get("/api/v1/stores/" + bucket.id()).expect(200).json();

        assertThat(store.at("/store/kind").asString()).isEqualTo("S3");
        assertThat(store.at("/seenBy/0/nodeId").asString()).isEqualTo(daemon.id());
        assertThat(store.at("/seenBy/0/name").asString()).isEqualTo("s3");
        assertThat(api.get("/api/v1/stores?pageSize=1").expect(200).json().has("nextPageToken"))
                .isTrue();
        assertThat(api.get("/api/v1/stores/" + UUID.randomUUID()).code()).isEqualTo("STORE_NOT_FOUND");
    }
}
