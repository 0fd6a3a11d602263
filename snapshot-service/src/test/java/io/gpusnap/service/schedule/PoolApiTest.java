package io.gpusnap.service.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

@ServiceTest
class PoolApiTest {
    @Autowired
    private Api api;

    @Autowired
    private PoolRounds rounds;

    private final String pool = "pool-" + UUID.randomUUID().toString().substring(0, 8);

    @AfterEach
    void noRoundGoesOn() {
        Api.Reply found = api.get("/api/v1/pools/" + pool);
        if (found.status() == 200) {
            api.with("If-Match", found.header("ETag"))
                    .delete("/api/v1/pools/" + pool)
                    .expect(204);
        }
    }

    private static Map<String, Object> wants(Catalogue catalogue, int replicas) {
        Map<String, Object> model = new HashMap<>();
        model.put("model", catalogue.model());
        model.put("version", catalogue.version());
        model.put("desiredReplicas", replicas);
        model.put("keepAliveSeconds", 0);
        model.put("minResidencySeconds", 0);
        return model;
    }

    private Api.Reply create(List<String> nodes, List<?> models) {
        return api.once().post("/api/v1/pools", Map.of("name", pool, "nodeIds", nodes, "models", models));
    }

    private void change(Map<String, ?> change) {
        String etag = api.get("/api/v1/pools/" + pool).expect(200).header("ETag");
        api.with("If-Match", etag).patch("/api/v1/pools/" + pool, change).expect(200);
    }

    private JsonNode decisions() {
        return api.get("/api/v1/pools/" + pool + "/decisions")
                .expect(200)
                .json()
                .path("items");
    }

    private static JsonNode claim(SimulatedNode node) {
        return await().atMost(Duration.ofSeconds(60))
                .until(() -> node.poll(5), reply -> reply.status() == 200)
                .json();
    }

    /** Ends a SAVE whose process stands still and waits. */
    private static void suspended(SimulatedNode node, JsonNode save) {
        Map<String, Object> result = new HashMap<>(TestManifest.of(save).saveResult());
        result.put("workloadAlive", true);
        node.complete(save, Map.of("outcome", "SUCCEEDED", "stages", List.of(), "save", result))
                .expect(204);
    }

    @Test
    void aModelThatIsToHaveAReplicaIsThawedOnItsNode() {
        // given a READY snapshot, no process
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        catalogue.ready(node);
        node.heartbeat().expect(200);

        // when
        create(List.of(node.id()), List.of(wants(catalogue, 1))).expect(201);
        JsonNode task = claim(node);
        node.thawed(task, 4711, "w").expect(204);

        // then
        assertThat(task.path("kind").asString()).isEqualTo("THAW");
        JsonNode decision = decisions().get(0);
        assertThat(decision.path("action").asString()).isEqualTo("THAW");
        assertThat(decision.path("reason").asString()).contains("has 0 of 1 replicas");
        assertThat(decision.at("/operations/0").asString())
                .isEqualTo(task.path("operationId").asString());
    }

    @Test
    void whatIsNotWantedAnyMoreIsSuspendedAndWokenWhenItIs() {
        // given a running replica
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        catalogue.ready(node, "criu+cuda", 1);
        node.heartbeat().expect(200);
        create(List.of(node.id()), List.of(wants(catalogue, 1))).expect(201);
        node.thawed(claim(node), 1, "w-1").expect(204);

        // when it is not wanted
        change(Map.of("models", List.of(wants(catalogue, 0))));
        JsonNode save = claim(node);
        suspended(node, save);

        // and then it is again
        change(Map.of("models", List.of(wants(catalogue, 1))));
        JsonNode resume = claim(node);
        node.thawed(resume, 1, "w-1").expect(204);

        // then
        assertThat(save.at("/save/engine").asString()).isEqualTo("suspend");
        assertThat(resume.path("kind").asString()).isEqualTo("THAW");
        assertThat(resume.at("/thaw/snapshotId").asString())
                .isEqualTo(save.at("/save/snapshotId").asString());
        assertThat(decisions().get(0).path("action").asString()).isEqualTo("RESUME");
    }

    @Test
    void whoWaitsGetsTheSlotOfWhoIsNotWanted() {
        // given one GPU, one model running on it, and another one with a snapshot
        SimulatedNode node = SimulatedNode.register(api);
        Catalogue first = Catalogue.create(api);
        Catalogue second = Catalogue.create(api);
        first.ready(node, "criu+cuda", 1);
        second.ready(node, "criu+cuda", 2);
        node.heartbeat().expect(200);
        create(List.of(node.id()), List.of(wants(first, 1), wants(second, 0))).expect(201);
        node.thawed(claim(node), 1, "w-1").expect(204);

        // when
        change(Map.of("models", List.of(wants(first, 0), wants(second, 1))));
        JsonNode save = claim(node);
        suspended(node, save);
        JsonNode thaw = claim(node);
        node.thawed(thaw, 2, "w-2").expect(204);

        // then
        assertThat(save.path("kind").asString()).isEqualTo("SAVE");
        assertThat(thaw.path("kind").asString()).isEqualTo("THAW");
        JsonNode decision = decisions().get(0);
        assertThat(decision.path("action").asString()).isEqualTo("SWITCH");
        assertThat(decision.path("model").asString()).isEqualTo(second.model());
        assertThat(decision.path("operations")).hasSize(2);
    }

    @Test
    void aModelIsStartedOnTheNodeThatCanRunItThoughAnotherOneIsFreer() {
        // given a node with two GPUs and no copy, and one with one GPU that has the snapshot
        Catalogue catalogue = Catalogue.create(api);
        Map<String, Object> two = SimulatedNode.inventory(Map.of("criu+cuda", "", "suspend", ""));
        Map<?, ?> gpu = (Map<?, ?>) ((List<?>) two.get("gpus")).getFirst();
        two.put("gpus", List.of(gpu, gpu));
        SimulatedNode freer = SimulatedNode.register(api, "node-" + UUID.randomUUID(), two);
        SimulatedNode able = SimulatedNode.register(api);
        catalogue.ready(able);
        able.heartbeat().expect(200);

        // when
        create(List.of(freer.id(), able.id()), List.of(wants(catalogue, 1))).expect(201);

        // then
        assertThat(claim(able).path("kind").asString()).isEqualTo("THAW");
        assertThat(decisions())
                .allSatisfy(decision ->
                        assertThat(decision.path("refusal").asString("")).isEmpty());
    }

    @Test
    void whatCannotBeDoneIsKeptWithItsReason() {
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);

        create(List.of(node.id()), List.of(wants(catalogue, 1))).expect(201);

        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(decisions()).isNotEmpty();
            assertThat(decisions().get(0).path("refusal").asString()).contains("SNAPSHOT_NOT_READY");
            assertThat(decisions().get(0).path("operations")).isEmpty();
        });
    }

    @Test
    void aRoundIsOneInstancesAndAnOlderOneMayNotAct() {
        // given a pool that is due
        create(List.of(), List.of()).expect(201);

        // when it is taken again and again, as by several instances
        PoolRounds.Round first = next();
        PoolRounds.Round second = next();

        // then the first round is over
        assertThat(second.epoch()).isGreaterThan(first.epoch());
        assertThat(rounds.hold(first)).isFalse();
    }

    private PoolRounds.Round next() {
        return await().atMost(Duration.ofSeconds(60))
                .until(
                        () -> rounds.take(Duration.ofMillis(1))
                                .filter(round -> round.pool().equals(pool)),
                        java.util.Optional::isPresent)
                .orElseThrow();
    }

    @Test
    void badPoolsAreRefused() {
        // given
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        create(List.of(node.id()), List.of()).expect(201);

        // then
        assertThat(create(List.of(), List.of()).code()).isEqualTo("NAME_TAKEN");
        assertThat(api.once()
                        .post(
                                "/api/v1/pools",
                                Map.of("name", pool + "-2", "nodeIds", List.of(node.id()), "models", List.of()))
                        .code())
                .isEqualTo("IN_USE");
        assertThat(api.once()
                        .post(
                                "/api/v1/pools",
                                Map.of("name", pool + "-3", "nodeIds", List.of(UUID.randomUUID()), "models", List.of()))
                        .code())
                .isEqualTo("NODE_NOT_FOUND");
        Map<String, Object> unknown = wants(catalogue, 1);
        unknown.put("version", "none");
        assertThat(api.once()
                        .post(
                                "/api/v1/pools",
                                Map.of("name", pool + "-4", "nodeIds", List.of(), "models", List.of(unknown)))
                        .code())
                .isEqualTo("VERSION_NOT_FOUND");
        assertThat(api.with("If-Match", "\"77\"")
                        .patch("/api/v1/pools/" + pool, Map.of("models", List.of()))
                        .code())
                .isEqualTo("PRECONDITION_FAILED");
        assertThat(api.get("/api/v1/pools/none").code()).isEqualTo("POOL_NOT_FOUND");
        assertThat(api.get("/api/v1/pools").expect(200).text()).contains(pool);
    }
}
