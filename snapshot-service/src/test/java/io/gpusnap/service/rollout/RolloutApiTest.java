package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class RolloutApiTest {
    private static final String ROLLOUTS = "/api/v1/rollouts";

    @Autowired
    private Api api;

    private Catalogue stable;
    private Catalogue canary;
    private SimulatedNode node;
    private String alias;

    @BeforeEach
    void givenTwoVersionsWithSnapshotsAndAnAlias() {
        stable = Catalogue.create(api);
        String model = "/api/v1/models/" + stable.model();
        api.once()
                .post(model + "/versions", Map.of("name", "v2", "parent", "v1"))
                .expect(201);
        canary = new Catalogue(api, stable.model(), "v2");
        node = SimulatedNode.register(api);
        stable.ready(node, "criu+cuda", 1);
        canary.ready(node, "criu+cuda", 2);
        api.once()
                .post(model + "/aliases", Map.of("name", "stable", "version", "v1"))
                .expect(201);
        alias = model + "/aliases/stable";
    }

    private JsonNode begin(Object... steps) {
        return create(steps).expect(201).json();
    }

    private Reply create(Object... steps) {
        return api.once()
                .post(
                        ROLLOUTS,
                        Map.of("model", stable.model(), "alias", "stable", "version", "v2", "steps", List.of(steps)));
    }

    private static Map<String, Object> weight(int percent) {
        return Map.of("setWeight", percent);
    }

    private static Map<String, Object> pause() {
        return Map.of("pause", Map.of());
    }

    private static Map<String, Object> analysis(Map<String, Object> metric) {
        Map<String, Object> whole = new HashMap<>(metric);
        whole.put("name", "m");
        whole.putIfAbsent("intervalSeconds", 1);
        return Map.of("analysis", Map.of("metrics", List.of(whole)));
    }

    private JsonNode restore(String replicaKey) {
        Map<String, Object> request = new LinkedHashMap<>(Map.of("model", stable.model(), "alias", "stable"));
        if (replicaKey != null) {
            request.put("replicaKey", replicaKey);
        }
        return api.once().post("/api/v1/restores", request).expect(202).json().path("restore");
    }

    private String versionOf(String replicaKey) {
        return restore(replicaKey).path("version").asString();
    }

    private long canariesAmong(int restores) {
        return IntStream.range(0, restores)
                .filter(i -> versionOf(null).equals("v2"))
                .count();
    }

    private JsonNode read(JsonNode rollout) {
        return api.get(path(rollout)).expect(200).json();
    }

    private static String path(JsonNode rollout) {
        return ROLLOUTS + "/" + rollout.path("id").asString();
    }

    private Reply act(JsonNode rollout, String action, Map<String, Object> body) {
        String etag = api.get(path(rollout)).expect(200).header("ETag");
        return api.with("If-Match", etag).post(path(rollout) + "/" + action, body);
    }

    private void awaitPhase(JsonNode rollout, String phase) {
        await().atMost(Duration.ofSeconds(30))
                .untilAsserted(
                        () -> assertThat(read(rollout).path("phase").asString()).isEqualTo(phase));
    }

    private List<String> history(JsonNode rollout) {
        List<String> types = new ArrayList<>();
        api.get(path(rollout) + "/events")
                .expect(200)
                .json()
                .path("items")
                .forEach(event -> types.addFirst(event.path("type").asString()));
        return types;
    }

    @Test
    void theShareOfRestoresIsExactAtEachWeight() {
        JsonNode rollout = begin(weight(10), pause(), weight(50), pause());

        assertThat(canariesAmong(30)).isEqualTo(3);
        act(rollout, "promotion", Map.of()).expect(200);
        assertThat(canariesAmong(30)).isEqualTo(15);

        assertThat(read(rollout).at("/shares/restores").asInt()).isEqualTo(30);
        assertThat(read(rollout).at("/shares/canaryRestores").asInt()).isEqualTo(15);
    }

    @Test
    void theShareIsExactAlsoWhenManyAskAtOnce() throws Exception {
        begin(weight(25), pause());
        List<Callable<String>> asked = IntStream.range(0, 40)
                .<Callable<String>>mapToObj(i -> () -> versionOf("r-" + i))
                .toList();

        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(pool.invokeAll(asked).stream().map(Future::resultNow).filter("v2"::equals))
                    .hasSize(10);
        }
    }

    @Test
    void aReplicaGetsTheSameVersionAgain() {
        JsonNode rollout = begin(weight(50), pause(), weight(60), pause());
        Map<String, String> first = new HashMap<>();
        IntStream.range(0, 10).forEach(i -> first.put("r-" + i, versionOf("r-" + i)));

        // asked again, nothing changes and nothing is counted
        first.forEach((key, version) -> assertThat(versionOf(key)).isEqualTo(version));
        assertThat(read(rollout).at("/shares/restores").asInt()).isEqualTo(10);

        // with a greater share, who has the new version keeps it
        act(rollout, "promotion", Map.of()).expect(200);
        first.forEach((key, version) -> {
            String now = versionOf(key);
            if (version.equals("v2")) {
                assertThat(now).isEqualTo("v2");
            }
        });
        assertThat(read(rollout).at("/shares/canaryRestores").asInt()).isEqualTo(6);
    }

    @Test
    void withASmallerShareTheOnesTooManyGoBack() {
        JsonNode rollout = begin(weight(50), pause(), weight(10), pause());
        IntStream.range(0, 20).forEach(i -> versionOf("r-" + i));
        assertThat(read(rollout).at("/shares/canaryRestores").asInt()).isEqualTo(10);

        act(rollout, "promotion", Map.of()).expect(200);
        long canaries = IntStream.range(0, 20)
                .filter(i -> versionOf("r-" + i).equals("v2"))
                .count();

        assertThat(canaries).isEqualTo(2);
        assertThat(read(rollout).at("/shares/canaryRestores").asInt()).isEqualTo(2);
    }

    @Test
    void aDryRunIsNotCounted() {
        JsonNode rollout = begin(weight(50), pause());

        api.once()
                .post("/api/v1/restores", Map.of("model", stable.model(), "alias", "stable", "dryRun", true))
                .expect(200);

        assertThat(read(rollout).at("/shares/restores").asInt()).isZero();
    }

    @Test
    void allStepsDoneTheAliasStandsForTheNewVersion() {
        JsonNode rollout = begin(weight(50), Map.of("pause", Map.of("durationSeconds", 1)), weight(100));
        assertThat(rollout.path("phase").asString()).isEqualTo("PAUSED");

        awaitPhase(rollout, "HEALTHY");

        assertThat(api.get(alias).json().path("version").asString()).isEqualTo("v2");
        assertThat(versionOf("new")).isEqualTo("v2");
        assertThat(history(rollout))
                .containsExactly("STARTED", "WEIGHT_SET", "PAUSED", "RESUMED", "WEIGHT_SET", "COMPLETED");
        JsonNode moved = api.get(alias + "/history").json().at("/items/0");
        assertThat(moved.path("kind").asString()).isEqualTo("ROLLED_OUT");
        assertThat(moved.path("why").asString()).contains(rollout.path("id").asString());
    }

    @Test
    void thawsThatFailRollItBack() {
        // given
        JsonNode rollout = begin(
                weight(100),
                analysis(Map.of("kind", "THAW_SUCCESS_RATE", "count", 100, "inconclusiveLimit", 100, "minRatio", 0.9)));
        String restore = restore("r-0").path("id").asString();

        // when its thaw fails, and so the caller starts it cold
        node.fail(node.claim(), "DRIVER_FAILED").expect(204);

        // then
        awaitPhase(rollout, "DEGRADED");
        assertThat(api.get("/api/v1/restores/" + restore).json().path("state").asString())
                .isEqualTo("COLD");
        assertThat(versionOf("r-0")).isEqualTo("v1");
        assertThat(api.get(alias).json().path("version").asString()).isEqualTo("v1");
        assertThat(history(rollout)).endsWith("ANALYSIS_FAILED", "ROLLED_BACK");
        JsonNode degraded = read(rollout);
        assertThat(degraded.path("reason").asString()).contains("0 of 1 thaws succeeded");
        assertThat(degraded.path("conditions")
                        .valueStream()
                        .filter(condition -> condition.path("status").asBoolean())
                        .map(condition -> condition.path("type").asString()))
                .containsExactly("Degraded");
    }

    @Test
    void aVersionThatComesBackNowhereIsRolledBack() {
        // given a rollout of a version whose snapshot fits no node any more
        JsonNode rollout = begin(
                weight(100), analysis(Map.of("kind", "THAW_SUCCESS_RATE", "count", 100, "inconclusiveLimit", 100)));
        api.with("If-Match", "*")
                .patch("/api/v1/nodes/" + node.id(), Map.of("schedulable", false))
                .expect(200);
        Map<String, Object> request = Map.of("model", stable.model(), "alias", "stable");

        // when a replica that must be on one node starts cold, then that says nothing of the version
        Map<String, Object> there = new HashMap<>(request);
        there.put("nodeId", node.id());
        there.put("fallback", "COLD");
        assertThat(api.once()
                        .post("/api/v1/restores", there)
                        .expect(201)
                        .json()
                        .at("/restore/version")
                        .asString())
                .isEqualTo("v2");
        awaitMeasurements(rollout, 2);
        assertThat(read(rollout).path("phase").asString()).isEqualTo("PROGRESSING");

        // when one that may be anywhere does, then it goes back
        api.once().post("/api/v1/restores", request).expect(201);
        awaitPhase(rollout, "DEGRADED");
        assertThat(read(rollout).path("reason").asString()).contains("0 of 1");
    }

    private void awaitMeasurements(JsonNode rollout, int more) {
        int before = read(rollout).at("/analysis/metrics/0/measurements").size();
        await().atMost(Duration.ofSeconds(30))
                .until(() ->
                        read(rollout).at("/analysis/metrics/0/measurements").size() >= before + more);
    }

    @Test
    void wrongAnswersRollItBackAndAreAskedForInTheThaw() {
        // given a version with an oracle
        api.with("If-Match", "*")
                .patch(
                        "/api/v1/models/" + stable.model() + "/versions/v2",
                        Map.of("oracle", Map.of("path", "/answer?prompt=a", "expectedTokens", List.of("cat"))))
                .expect(200);
        JsonNode rollout =
                begin(weight(100), analysis(Map.of("kind", "ANSWER_ORACLE", "count", 100, "inconclusiveLimit", 100)));
        restore("r-0");

        // when
        JsonNode task = node.claim();
        assertThat(task.at("/thaw/probe/path").asString()).isEqualTo("/answer?prompt=a");
        assertThat(task.at("/thaw/probe/expectedTokens/0").asString()).isEqualTo("cat");
        node.fail(task, "ANSWER_WRONG").expect(204);

        // then
        awaitPhase(rollout, "DEGRADED");
        assertThat(read(rollout).path("reason").asString()).contains("1 processes answered wrongly");
    }

    @Test
    void slowFirstAnswersRollItBackAndFastOnesLetItGoOn() {
        JsonNode rollout = begin(
                weight(100),
                analysis(Map.of("kind", "TIME_TO_FIRST_ANSWER", "maxSeconds", 5, "count", 2, "inconclusiveLimit", 50)),
                analysis(Map.of("kind", "TIME_TO_FIRST_ANSWER", "maxSeconds", 1, "count", 1, "inconclusiveLimit", 50)));
        restore("r-0");
        node.thawed(node.claim(), 100, "w").expect(204);

        awaitPhase(rollout, "DEGRADED");

        assertThat(history(rollout)).contains("ANALYSIS_SUCCEEDED", "ANALYSIS_FAILED");
        assertThat(read(rollout).path("stepIndex").asInt()).isEqualTo(2);
    }

    @Test
    void anAnalysisThatSaysNothingWaitsForSomebody() {
        JsonNode rollout = begin(weight(10), analysis(Map.of("kind", "THAW_SUCCESS_RATE")));

        awaitPhase(rollout, "PAUSED");

        assertThat(history(rollout)).endsWith("ANALYSIS_INCONCLUSIVE", "PAUSED");
        act(rollout, "promotion", Map.of()).expect(200);
        assertThat(read(rollout).path("phase").asString()).isEqualTo("HEALTHY");
    }

    @Test
    void pauseAbortAndRetryDoWhatTheySay() {
        JsonNode rollout = begin(weight(100), pause());

        act(rollout, "pause", Map.of("reason", "hold it")).expect(200);
        assertThat(versionOf("a")).isEqualTo("v2");
        act(rollout, "abort", Map.of("reason", "no")).expect(200);
        assertThat(read(rollout).path("phase").asString()).isEqualTo("ABORTED");
        assertThat(versionOf("a")).isEqualTo("v1");
        assertThat(act(rollout, "pause", Map.of()).code()).isEqualTo("CONFLICT");
        act(rollout, "retry", Map.of("reason", "again")).expect(200);
        assertThat(versionOf("a")).isEqualTo("v2");
        act(rollout, "promotion", Map.of("full", true)).expect(200);
        assertThat(read(rollout).path("phase").asString()).isEqualTo("HEALTHY");
        assertThat(act(rollout, "retry", Map.of()).code()).isEqualTo("CONFLICT");
    }

    @Test
    void ofTwoWhoPromoteAtOnceOneWins() throws Exception {
        JsonNode rollout = begin(weight(10), pause(), weight(20), pause(), weight(30), pause());
        String etag = api.get(path(rollout)).header("ETag");
        List<Callable<Integer>> both = IntStream.range(0, 6)
                .<Callable<Integer>>mapToObj(i -> () -> api.with("If-Match", etag)
                        .post(path(rollout) + "/promotion", Map.of())
                        .status())
                .toList();

        try (ExecutorService pool = Executors.newVirtualThreadPerTaskExecutor()) {
            assertThat(pool.invokeAll(both).stream().map(Future::resultNow))
                    .containsOnly(200, 412)
                    .containsOnlyOnce(200);
        }
        assertThat(read(rollout).path("weight").asInt()).isEqualTo(20);
    }

    @Test
    void anAliasThatIsMovedByHandEndsItsRollout() {
        JsonNode rollout = begin(weight(100), pause());

        api.with("If-Match", "*").patch(alias, Map.of("version", "v2")).expect(200);

        assertThat(read(rollout).path("phase").asString()).isEqualTo("ABORTED");
        assertThat(read(rollout).path("reason").asString()).contains("moved to v2");
        assertThat(act(rollout, "retry", Map.of()).code()).isEqualTo("CONFLICT");
    }

    @Test
    void anAliasHasOneRolloutAtATimeAndItsVersionsStay() {
        begin(weight(10), pause());

        assertThat(create(weight(10)).code()).isEqualTo("CONFLICT");
        Reply refused = api.with("If-Match", "*").delete("/api/v1/models/" + stable.model() + "/versions/v2");
        assertThat(refused.code()).isEqualTo("IN_USE");
    }

    @Test
    void stepsThatMakeNoSenseAreRefusedWithTheirPlace() {
        Reply two = create(Map.of("setWeight", 10, "pause", Map.of()));
        Reply query = create(analysis(Map.of("kind", "PROMETHEUS", "query", "up")));
        Reply slow = create(analysis(Map.of("kind", "TIME_TO_FIRST_ANSWER")));
        Reply tooMuch = create(weight(101));

        assertThat(two.code()).isEqualTo("INVALID_REQUEST");
        assertThat(two.json().at("/errors/0/pointer").asString()).isEqualTo("/steps/0");
        assertThat(query.text()).contains("gpusnap.rollouts.prometheus-url");
        assertThat(slow.json().at("/errors/0/pointer").asString()).isEqualTo("/steps/0/analysis/metrics/0/maxSeconds");
        assertThat(tooMuch.code()).isEqualTo("INVALID_REQUEST");
    }

    @Test
    void aVersionWithoutASnapshotIsNotRolledOut() {
        api.once()
                .post("/api/v1/models/" + stable.model() + "/versions", Map.of("name", "v3"))
                .expect(201);

        Reply refused = api.once()
                .post(
                        ROLLOUTS,
                        Map.of(
                                "model",
                                stable.model(),
                                "alias",
                                "stable",
                                "version",
                                "v3",
                                "steps",
                                List.of(weight(10))));

        assertThat(refused.code()).isEqualTo("CONFLICT");
        assertThat(refused.json().path("detail").asString()).contains("no READY snapshot");
    }

    @Test
    void aCanaryScaleGivesSoManyReplicasTheNewVersion() {
        begin(Map.of("setCanaryScale", Map.of("replicas", 2)), pause());

        assertThat(canariesAmong(10)).isEqualTo(2);
    }
}
