package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A version that answers wrongly is rolled out, found out and rolled back; the mended one goes to 100 %; and is rolled back by
 * one call. Over HTTP, with the service, a daemon, CRIU and real processes on the simulated driver; it needs what
 * {@code make build} makes.
 */
class RolloutStoryIT {
    private static final String MODEL = "story";
    private static final String PROMPT = "/answer?prompt=story";
    private static final String RIGHT = "11".repeat(8);
    private static final String WRONG = "22".repeat(8);
    private static final int SECONDS = Stand.SECONDS;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path root;

    private Stand stand;
    private ControlPlane api;
    private int asked;

    @BeforeEach
    void givenAServiceAndADaemon() throws IOException {
        stand = Stand.on(root, "story");
        Stack stack = stand.stack();
        api = stack.startService();
        stand.startDaemon(stack, api);
    }

    @AfterEach
    void end() {
        if (stand != null) {
            stand.close();
        }
    }

    @Test
    void aBadVersionGoesBackByItselfAndAGoodOneGoesAllTheWay() {
        // given version 1, stable
        api.post("/models", Map.of("name", MODEL));
        String answer = freeze("v1", null, RIGHT, null);
        api.post("/models/" + MODEL + "/aliases", Map.of("name", "stable", "version", "v1", "reason", "first"));
        assertThat(restores(2)).containsExactly("v1", "v1");

        // when version 2, which answers wrongly, gets ten of a hundred
        freeze("v2", "v1", WRONG, answer);
        String bad = rollOut("v2", weight(10), pause(), oracle());
        List<String> atTen = restores(10);

        // then that is its exact share, and its process never got as far as an answer that counts
        assertThat(atTen).filteredOn("v2 COLD ANSWER_WRONG"::equals).hasSize(1);
        assertThat(atTen).filteredOn("v1"::equals).hasSize(9);

        // when it is analysed, then it goes back by itself, from the next restore on
        act(bad, "promotion", "let us see");
        awaitPhase(bad, "DEGRADED");
        assertThat(restores(2)).containsExactly("v1", "v1");
        assertThat(events(bad))
                .containsExactly(
                        "STARTED",
                        "WEIGHT_SET",
                        "PAUSED",
                        "PROMOTED",
                        "RESUMED",
                        "ANALYSIS_STARTED",
                        "ANALYSIS_FAILED",
                        "ROLLED_BACK");

        // when the mended version 3 goes 10 % → 50 % → 100 %
        freeze("v3", "v2", RIGHT, null);
        String good = rollOut("v3", weight(10), pause(), oracle(), weight(50), pause(), weight(100), pause());
        assertThat(restores(10)).filteredOn("v3"::equals).hasSize(1);
        act(good, "promotion", "ten is fine");
        awaitPhase(good, "PAUSED");
        assertThat(restores(6)).filteredOn("v3"::equals).hasSize(3);
        act(good, "promotion", "half is fine");
        assertThat(restores(3)).containsOnly("v3");
        act(good, "promotion", "all of it");

        // then the alias stands for it
        awaitPhase(good, "HEALTHY");
        assertThat(alias()).isEqualTo("v3");
        assertThat(restores(1)).containsExactly("v3");
        assertThat(events(good))
                .contains("ANALYSIS_SUCCEEDED")
                .endsWith("WEIGHT_SET", "PAUSED", "PROMOTED", "RESUMED", "COMPLETED");

        // when it is rolled back, then one call does it, with the next restore
        Stand.send(
                api, "POST", "/models/" + MODEL + "/aliases/stable/rollback", Map.of("reason", "customers complain"));
        assertThat(alias()).isEqualTo("v1");
        assertThat(restores(1)).containsExactly("v1");
        assertThat(api.items("/models/" + MODEL + "/aliases/stable/history").stream()
                        .map(change -> change.path("kind").asString() + " "
                                + change.path("toVersion").asString()))
                .containsExactly("ROLLED_BACK v1", "ROLLED_OUT v3", "CREATED v1");
    }

    /** Starts a server, records its answer as the version's oracle unless another one is expected of it, and freezes it. */
    private String freeze(String version, String parent, String token, String expected) {
        int port = Stack.freePort(0);
        Workload workload = stand.workload(port);
        List<String> command = new ArrayList<>(workload.command(0, version + ".state"));
        command.addAll(List.of("--token", token));
        Started process = stand.launcher().start(version, command, workload.managedEnvironment());
        SampleServer server = new SampleServer(port);
        String answer = server.askUntilAnswered("story", SECONDS, process::requireAlive)
                .path("answer")
                .asString();
        assertThat(answer).isNotEmpty().isNotEqualTo(expected);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", version);
        facts.put("image", "samples/cuda-server@sha256:" + version);
        facts.put("oracle", Map.of("path", PROMPT, "expectedTokens", List.of(expected == null ? answer : expected)));
        if (parent != null) {
            facts.put("parent", parent);
        }
        api.post("/models/" + MODEL + "/versions", facts);
        JsonNode accepted = api.post(
                "/snapshots",
                Map.of(
                        "model",
                        MODEL,
                        "version",
                        version,
                        "workloadId",
                        new Catalogue(api).workload(process.pid()).path("id").asString(),
                        "engine",
                        "criu+cuda",
                        "afterSave",
                        "STOP"));
        new OperationWatch(api, new Terminal(System.out, false))
                .await(accepted.path("operation").path("id").asString(), SECONDS);
        assertThat(process.awaitEnd(SECONDS)).isTrue();
        return answer;
    }

    /** Asks for so many new replicas, one after the other; each one's version, and what came of it if it is not back. */
    private List<String> restores(int count) {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(restore("replica-" + asked++));
        }
        return all;
    }

    private String restore(String replicaKey) {
        JsonNode accepted = api.post("/restores", Map.of("model", MODEL, "alias", "stable", "replicaKey", replicaKey));
        String path = "/restores/" + accepted.path("restore").path("id").asString();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (System.nanoTime() < deadline) {
            JsonNode restore = api.get(path);
            switch (restore.path("state").asString()) {
                case "PENDING", "RUNNING" -> Pause.millis(50);
                case "SUCCEEDED" -> {
                    // Two processes of one snapshot cannot live side by side.
                    stand.launcher()
                            .adopt("restored", restore.path("pid").asLong(), root.resolve("daemon.log"))
                            .stop(false, SECONDS);
                    return restore.path("version").asString();
                }
                case String other -> {
                    return restore.path("version").asString() + " " + other + " "
                            + restore.at("/cold/code").asString("");
                }
            }
        }
        throw new AssertionError("the restore is not at its end after " + SECONDS + " s: " + api.get(path));
    }

    private static Map<String, Object> weight(int percent) {
        return Map.of("setWeight", percent);
    }

    private static Map<String, Object> pause() {
        return Map.of("pause", Map.of());
    }

    private static Map<String, Object> oracle() {
        return Map.of(
                "analysis",
                Map.of(
                        "metrics",
                        List.of(
                                Map.of("name", "answers", "kind", "ANSWER_ORACLE"),
                                Map.of("name", "thaws", "kind", "THAW_SUCCESS_RATE"))));
    }

    @SafeVarargs
    private String rollOut(String version, Map<String, Object>... steps) {
        return api.post(
                        "/rollouts",
                        Map.of("model", MODEL, "alias", "stable", "version", version, "steps", List.of(steps)))
                .path("id")
                .asString();
    }

    private void act(String rollout, String action, String reason) {
        Stand.send(api, "POST", "/rollouts/" + rollout + "/" + action, Map.of("reason", reason));
    }

    private void awaitPhase(String rollout, String phase) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!api.get("/rollouts/" + rollout).path("phase").asString().equals(phase)) {
            assertThat(System.nanoTime())
                    .as(() -> api.get("/rollouts/" + rollout).toString())
                    .isLessThan(deadline);
            Pause.millis(100);
        }
    }

    private String alias() {
        return api.get("/models/" + MODEL + "/aliases/stable").path("version").asString();
    }

    private List<String> events(String rollout) {
        return api.items("/rollouts/" + rollout + "/events").reversed().stream()
                .map(event -> event.path("type").asString())
                .toList();
    }
}
