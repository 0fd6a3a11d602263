package io.gpusnap.service.policy;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.tier.Store;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model under a policy, with two daemons that speak the real node API and a bucket. Time passes by making everything that the
 * database remembers older; nothing else about the service is simulated.
 */
final class TierStory {
    private static final String ALL_OF_A_LIFE = """
              {"kind": "minimum-copies", "copies": 2, "roles": ["STABLE"]},
              {"kind": "prefetch", "expectedReplicas": 2, "to": "NVME", "nodes": 2},
              {"kind": "promote", "usedWithin": "PT2H", "to": "NVME"},
              {"kind": "demote", "from": "NVME", "unusedFor": "PT24H", "roles": ["HISTORY"]},
              {"kind": "retention", "maxAge": "PT720H", "roles": ["HISTORY"]}
            """;

    final Api api;
    final Catalogue catalogue;
    final FakeDaemon a;
    final FakeDaemon b;
    private final JdbcClient jdbc;
    private final String policy = "story-" + UUID.randomUUID();
    private final FakeSharedStore bucket = new FakeSharedStore();

    private TierStory(Api api, JdbcClient jdbc) {
        this.api = api;
        this.jdbc = jdbc;
        this.catalogue = Catalogue.create(api);
        this.a = FakeDaemon.start(api, bucket);
        this.b = FakeDaemon.start(api, bucket);
    }

    static TierStory begin(Api api, JdbcClient jdbc) {
        return begin(api, jdbc, ALL_OF_A_LIFE);
    }

    /** @param rules as JSON, separated by commas; MODEL stands for the model's name */
    static TierStory begin(Api api, JdbcClient jdbc, String rules) {
        TierStory story = new TierStory(api, jdbc);
        JsonNode spec = new JsonMapper()
                .readTree("{\"models\": [\"MODEL\"], \"enabled\": true, \"rules\": [RULES]}"
                        .replace("RULES", rules)
                        .replace("MODEL", story.catalogue.model()));
        api.once()
                .post("/api/v1/tier-policies", Map.of("name", story.policy, "spec", spec))
                .expect(201);
        return story;
    }

    void end() {
        api.with("If-Match", "*").delete("/api/v1/tier-policies/" + policy);
    }

    /** Everything that is remembered of this story's model gets older. */
    void pass(Duration time) {
        String mine = "(SELECT id FROM snapshot WHERE model_name = :model)";
        for (String older : List.of(
                "snapshot SET ready_at = ready_at - :time, verified_at = verified_at - :time WHERE model_name = :model",
                "snapshot_location SET since = since - :time, confirmed_at = confirmed_at - :time, verified_at = verified_at - :time"
                        + " WHERE snapshot_id IN " + mine,
                "restore SET created_at = created_at - :time WHERE snapshot_id IN " + mine,
                "operation SET finished_at = finished_at - :time WHERE snapshot_id IN " + mine)) {
            jdbc.sql("UPDATE " + older.replace(":time", "make_interval(secs => :seconds)"))
                    .param("seconds", time.toSeconds())
                    .param("model", catalogue.model())
                    .update();
        }
    }

    /** Somebody asks for the policy to be carried out, and the daemons do and report, until nothing is left to do. */
    void settle() {
        for (int i = 0; i < 10; i++) {
            if (step() == 0) {
                return;
            }
        }
        throw new AssertionError("the policy never comes to rest");
    }

    /** The same once; returns how much the daemons did. */
    int step() {
        evaluate();
        return work();
    }

    /** Somebody asks for the policy to be carried out; returns what became of each decision. */
    JsonNode evaluate() {
        return api.post("/api/v1/tier-policies/" + policy + "/evaluations", Map.of("dryRun", false))
                .expect(200)
                .json()
                .path("decisions");
    }

    String policy() {
        return policy;
    }

    StoreId bucket() {
        return new StoreId(bucket.id());
    }

    /** The daemons do what is asked of them, and report. */
    int work() {
        int done = a.work() + b.work();
        a.heartbeat();
        b.heartbeat();
        return done;
    }

    JsonNode explain(String snapshot) {
        return api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json();
    }

    /** What is decided of the snapshot now, each as {@code ACTION rule: reason}. */
    List<String> decisions(String snapshot) {
        return explain(snapshot)
                .path("decisions")
                .valueStream()
                .map(one ->
                        one.path("action").asString() + " " + one.path("rule").asString() + ": "
                                + one.path("reason").asString())
                .toList();
    }

    /** Of what is decided of the snapshot now, only what: {@code COPY}. */
    List<String> actions(String snapshot) {
        return decisions(snapshot).stream().map(one -> one.split(" ")[0]).toList();
    }

    /** What the snapshot's copy in the daemon's own store takes there, as the service tells. */
    long storedBytes(String snapshot, FakeDaemon daemon) {
        return catalogue
                .snapshot(snapshot)
                .path("locations")
                .valueStream()
                .filter(location -> location.path("storeId").asString().equals(own(daemon)))
                .mapToLong(location -> location.path("storedBytes").asLong())
                .sum();
    }

    /** Where good copies are: {@code a}, {@code b} and {@code s3}; a copy in another state has that behind. */
    Set<String> places(String snapshot) {
        Map<String, String> names = Map.of(own(a), "a", own(b), "b", bucket.id().toString(), "s3");
        Set<String> places = new TreeSet<>();
        for (JsonNode location : catalogue.snapshot(snapshot).path("locations")) {
            String state = location.path("state").asString();
            places.add(names.get(location.path("storeId").asString()) + (state.equals("PRESENT") ? "" : " " + state));
        }
        return places;
    }

    String own(FakeDaemon daemon) {
        return Store.ownOf(NodeId.of(daemon.id()), Inventory.TierKind.NVME).toString();
    }

    /** One more, of a version that there is, in the node's own store. */
    String save(FakeDaemon on, String version, int pid) {
        String snapshot = on.save(new Catalogue(api, catalogue.model(), version), pid);
        // The manifest names one chunk twice, and the daemon's store counts both.
        jdbc.sql("UPDATE snapshot SET distinct_bytes = ? WHERE id = ?::uuid")
                .params(FakeDaemon.SNAPSHOT_BYTES, snapshot)
                .update();
        on.heartbeat();
        return snapshot;
    }

    String state(String snapshot) {
        return catalogue.snapshot(snapshot).path("state").asString();
    }

    /** A version more, which is the stable one from now on. */
    void release(String version) {
        api.once()
                .post(
                        "/api/v1/models/" + catalogue.model() + "/versions",
                        Map.of("name", version, "image", "llm@sha256:2"))
                .expect(201);
        alias("stable", version);
    }

    private void alias(String name, String version) {
        api.once()
                .post(
                        "/api/v1/models/" + catalogue.model() + "/aliases",
                        Map.of("name", name, "version", version, "reason", "the story"))
                .expect(201);
    }
}
