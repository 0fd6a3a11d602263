package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.demo.Fleet.Server;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * A version that answers wrongly is rolled out, found out and rolled back; the mended one goes to 100 %; and is rolled back by
 * one call. Then the control plane dies in the middle of a rollout. Over HTTP, with the service, daemons on two machines that share
 * a bucket, CRIU and real processes on the simulated driver; it needs what {@code make build} makes.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class RolloutStoryIT {
    private static final String MODEL = "story";
    private static final String PROMPT = "story";
    private static final Server FIRST = new Server("story-v1", 20_000, 7001, "11".repeat(8));
    private static final Server WRONG = new Server("story-v2", 21_000, 7002, "22".repeat(8));
    private static final Server MENDED = new Server("story-v3", 22_000, 7003, "11".repeat(8));
    private static final Map<String, Server> SERVERS = Map.of("v1", FIRST, "v2", WRONG, "v3", MENDED);
    private static final int SECONDS = Stand.SECONDS;

    private final Map<String, String> answers = new LinkedHashMap<>();
    private final Map<String, String> snapshots = new LinkedHashMap<>();
    /** Where replicas of each version came back. */
    private final Map<String, Set<String>> places = new LinkedHashMap<>();

    private Fleet fleet;
    private ControlPlane api;
    private int asked;

    @BeforeAll
    void givenTwoMachines(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path root) throws IOException {
        fleet = Fleet.start(root, "story", PROMPT, List.of("a", "b"));
        api = fleet.api();
    }

    @AfterAll
    void end() {
        if (fleet != null) {
            fleet.close();
        }
    }

    @Test
    @Order(1)
    void aBadVersionGoesBackByItselfAndAGoodOneGoesAllTheWay() {
        // given version 1, stable
        api.post("/models", Map.of("name", MODEL));
        String answer = freeze("v1", null, null);
        api.post("/models/" + MODEL + "/aliases", Map.of("name", "stable", "version", "v1", "reason", "first"));
        assertThat(restores(2)).containsExactly("v1", "v1");

        // when version 2, which answers wrongly, gets ten of a hundred
        freeze("v2", "v1", answer);
        String bad = rollOut("v2", weight(10), pause(), oracle());

        // then that is its exact share, and its process never got as far as an answer that counts
        assertThat(restores(10))
                .containsExactly("v2 COLD ANSWER_WRONG", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1");
        assertThat(shares(bad)).isEqualTo("1 of 10");

        // when it is analysed, then it goes back by itself, from the next restore on
        act(bad, "promotion", "let us see");
        awaitPhase(bad, "DEGRADED");
        assertThat(restores(2)).containsExactly("v1", "v1");
        assertThat(events(bad))
                .containsExactly(
                        "0 STARTED operator: From v1 to v2: a new version",
                        "0 WEIGHT_SET rollout: 10 of 100 restores get v2.",
                        "1 PAUSED rollout: It waits to be promoted.",
                        "1 PROMOTED operator: let us see",
                        "1 RESUMED operator: It was promoted.",
                        "2 ANALYSIS_STARTED operator: 2 metrics are measured.",
                        "2 ANALYSIS_FAILED rollout: Metric answers: 1 processes answered wrongly.",
                        "2 ROLLED_BACK rollout: Every restore gets v1 again. Metric answers: 1 processes answered wrongly."
                                + " Until now 1 of 10 got the new version.");
        assertThat(aliasHistory()).containsExactly("CREATED → v1 operator: first");

        // when the mended version 3 goes 10 % → 50 % → 100 %
        freeze("v3", "v2", null);
        String good = rollOut("v3", weight(10), pause(), oracle(), weight(50), pause(), weight(100), pause());
        assertThat(restores(10)).containsExactly("v3", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1", "v1");
        assertThat(shares(good)).isEqualTo("1 of 10");
        act(good, "promotion", "ten is fine");
        awaitPhase(good, "PAUSED");
        assertThat(restores(6)).containsExactly("v3", "v1", "v3", "v1", "v3", "v1");
        assertThat(shares(good)).isEqualTo("3 of 6");
        act(good, "promotion", "half is fine");
        assertThat(restores(3)).containsExactly("v3", "v3", "v3");
        assertThat(shares(good)).isEqualTo("3 of 3");
        act(good, "promotion", "all of it");

        // then the alias stands for it
        awaitPhase(good, "HEALTHY");
        assertThat(alias()).isEqualTo("v3");
        assertThat(restores(1)).containsExactly("v3");
        assertThat(events(good))
                .containsExactly(
                        "0 STARTED operator: From v1 to v3: a new version",
                        "0 WEIGHT_SET rollout: 10 of 100 restores get v3.",
                        "1 PAUSED rollout: It waits to be promoted.",
                        "1 PROMOTED operator: ten is fine",
                        "1 RESUMED operator: It was promoted.",
                        "2 ANALYSIS_STARTED operator: 2 metrics are measured.",
                        "2 ANALYSIS_SUCCEEDED rollout: Metric answers: all of 1 processes answered rightly.",
                        "3 WEIGHT_SET rollout: 50 of 100 restores get v3. Until now 1 of 10 got the new version.",
                        "4 PAUSED rollout: It waits to be promoted.",
                        "4 PROMOTED operator: half is fine",
                        "4 RESUMED operator: It was promoted.",
                        "5 WEIGHT_SET operator: 100 of 100 restores get v3. Until now 3 of 6 got the new version.",
                        "6 PAUSED operator: It waits to be promoted.",
                        "6 PROMOTED operator: all of it",
                        "6 RESUMED operator: It was promoted.",
                        "7 COMPLETED operator: All steps are done: stable stands for v3. Until now 3 of 3 got the new version.");

        // when it is rolled back, then one call does it, with the next restore
        Stand.send(
                api, "POST", "/models/" + MODEL + "/aliases/stable/rollback", Map.of("reason", "customers complain"));
        assertThat(alias()).isEqualTo("v1");
        assertThat(restores(1)).containsExactly("v1");
        assertThat(aliasHistory())
                .containsExactly(
                        "CREATED → v1 operator: first",
                        "v1 ROLLED_OUT → v3 operator: rollout " + good + " came to its end",
                        "v3 ROLLED_BACK → v1 operator: customers complain");

        // and replicas of both good versions came back on both machines
        assertThat(places.get("v1")).containsExactlyInAnyOrder("a", "b");
        assertThat(places.get("v3")).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    @Order(2)
    void aNodeServesWhatItHasWhileTheControlPlaneIsDownInARollout() throws IOException {
        // given a bad canary at half of the weight, whose first replica was found out
        Machine machine = fleet.machine("a");
        String rollout = rollOut("v2", weight(50), pause(), oracle());
        assertThat(restores(2)).containsExactlyInAnyOrder("v1", "v2 COLD ANSWER_WRONG");
        Stand.await(() -> fleet.running(FIRST).isEmpty());

        // when the control plane dies
        fleet.killService();

        // then the node brings back what its own store has, without it
        fleet.killDaemon(machine);
        String printed = fleet.byHand(machine, "thaw", Objects.requireNonNull(snapshots.get("v1")));
        assertThat(printed).contains("workload story-v1 runs as pid " + FIRST.pid());
        assertThat(fleet.answer(FIRST, machine)).isEqualTo(answers.get("v1"));

        // when it is back, then the alias stands for what it stood for, and the rollout is where it was
        fleet.startServiceAgain();
        api = fleet.api();
        assertThat(alias()).isEqualTo("v1");
        assertThat(api.get("/rollouts/" + rollout).path("phase").asString()).isEqualTo("PAUSED");

        // and it hears of the process that came back meanwhile, which serves on
        fleet.startDaemon(machine);
        Stand.await(() -> fleet.running(FIRST).size() == 1);
        assertThat(fleet.answer(FIRST, machine)).isEqualTo(answers.get("v1"));

        // and the canary goes back by itself
        act(rollout, "promotion", "go on");
        awaitPhase(rollout, "DEGRADED");
        assertThat(alias()).isEqualTo("v1");
        fleet.end(FIRST, machine);
        assertThat(restores(2)).containsExactly("v1", "v1");
    }

    /** Starts a server, records its answer as the version's oracle unless another one is expected of it, and freezes it. */
    private String freeze(String version, @Nullable String parent, @Nullable String expected) {
        Server server = Objects.requireNonNull(SERVERS.get(version));
        String answer = fleet.start(server, fleet.machine("a"));
        assertThat(answer).isNotEmpty().isNotEqualTo(expected);
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("name", version);
        facts.put("image", "samples/cuda-server@sha256:" + version);
        facts.put(
                "oracle",
                Map.of(
                        "path",
                        "/answer?prompt=" + PROMPT,
                        "expectedTokens",
                        List.of(expected == null ? answer : expected)));
        if (parent != null) {
            facts.put("parent", parent);
        }
        api.post("/models/" + MODEL + "/versions", facts);
        snapshots.put(version, fleet.save(server, MODEL, version));
        answers.put(version, answer);
        return answer;
    }

    /**
     * Asks for so many new replicas, one after the other; each one's version, and what came of it if it is not back. One machine is
     * closed, by turns, as when nodes are upgraded in the middle of a rollout.
     */
    private List<String> restores(int count) {
        List<Machine> machines = fleet.machines();
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Machine closed = machines.get(asked % machines.size());
            open(closed, false);
            all.add(restore("replica-" + asked++));
            open(closed, true);
        }
        return all;
    }

    private void open(Machine machine, boolean schedulable) {
        Stand.send(api, "PATCH", "/nodes/" + fleet.nodeId(machine), Map.of("schedulable", schedulable));
    }

    private String restore(String replicaKey) {
        JsonNode accepted = api.post("/restores", Map.of("model", MODEL, "alias", "stable", "replicaKey", replicaKey));
        String path = "/restores/" + accepted.path("restore").path("id").asString();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (System.nanoTime() < deadline) {
            JsonNode restore = api.get(path);
            String version = restore.path("version").asString();
            switch (restore.path("state").asString()) {
                case "PENDING", "RUNNING" -> Pause.millis(50);
                case "SUCCEEDED" -> {
                    serveAndEnd(version, fleet.ofNode(restore.path("nodeId").asString()));
                    return version;
                }
                case String other -> {
                    return version + " " + other + " "
                            + restore.at("/cold/code").asString("");
                }
            }
        }
        throw new AssertionError("the restore is not at its end after " + SECONDS + " s: " + api.get(path));
    }

    /** Two processes of one snapshot cannot live side by side on one machine. */
    private void serveAndEnd(String version, Machine machine) {
        Server server = Objects.requireNonNull(SERVERS.get(version));
        assertThat(fleet.answer(server, machine)).isEqualTo(answers.get(version));
        places.computeIfAbsent(version, none -> new HashSet<>()).add(machine.name());
        fleet.end(server, machine);
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

    /** What moved the alias, oldest first: from where, what, where to, who, why. */
    private List<String> aliasHistory() {
        return api.items("/models/" + MODEL + "/aliases/stable/history").reversed().stream()
                .map(change -> "%s %s → %s %s: %s"
                        .formatted(
                                change.path("fromVersion").asString(""),
                                change.path("kind").asString(),
                                change.path("toVersion").asString(),
                                change.path("who").asString(),
                                change.path("why").asString())
                        .strip())
                .toList();
    }

    /** Restores that were counted since the weight last changed, and those of them that got the new version. */
    private String shares(String rollout) {
        JsonNode shares = api.get("/rollouts/" + rollout).path("shares");
        return shares.path("canaryRestores").asInt() + " of "
                + shares.path("restores").asInt();
    }

    /** All that happened, oldest first: at which step, what, who, why. */
    private List<String> events(String rollout) {
        return api.items("/rollouts/" + rollout + "/events?pageSize=100").reversed().stream()
                .map(event -> "%d %s %s: %s"
                        .formatted(
                                event.path("step").asInt(),
                                event.path("type").asString(),
                                event.path("who").asString(),
                                event.path("message").asString()))
                .toList();
    }
}
