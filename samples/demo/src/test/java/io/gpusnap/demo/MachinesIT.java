package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.demo.Fleet.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
 * Three machines that share a bucket. Two models share the GPU of one of them; what is wanted soon is brought ahead; then what was
 * on a lost one answers again elsewhere with the same state, and the old processes cannot come back: with the service, daemons, CRIU and real processes, each machine in
 * namespaces of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MachinesIT {
    private static final Server LLM = new Server("llm", 20_000, 7001, "11".repeat(8));
    private static final Server ASR = new Server("asr", 21_000, 7002, "22".repeat(8));

    private static final Server CHAT = new Server("chat", 22_000, 7003, "33".repeat(8));
    private static final Server TTS = new Server("tts", 23_000, 7004, "44".repeat(8));

    private static final Server WAVE = new Server("wave", 24_000, 7005, "55".repeat(8));

    private Path root;
    private Fleet fleet;
    private ControlPlane api;

    @BeforeAll
    void givenThreeMachines(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path folder) throws IOException {
        root = folder;
        fleet = Fleet.start(
                root,
                "loss",
                "before the loss",
                List.of("a", "b", "c"),
                "--gpusnap.nodes.grace=3s",
                "--gpusnap.nodes.lost-after=6s",
                "--gpusnap.recovery.check-interval=200ms",
                "--gpusnap.schedule.check-interval=200ms",
                "--gpusnap.schedule.interval=500ms",
                "--gpusnap.prefetch.node-budget=1GB",
                "--gpusnap.prefetch.memory-budget=1GB",
                "--gpusnap.prefetch.interval=1s",
                "--gpusnap.prefetch.check-interval=200ms");
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
    void twoModelsShareAGpuAsTheirDesiredReplicasSay() {
        // given two models with a snapshot each, and a pool with one machine's GPU
        Machine machine = fleet.machine("c");
        String chat = freeze(CHAT, machine);
        String tts = freeze(TTS, machine);
        String node = fleet.nodeId(machine);
        api.post("/pools", Map.of("name", "shared", "nodeIds", List.of(node), "models", wanted(CHAT, TTS)));

        // when the first is to have a replica, then it is thawed
        awaitStates(CHAT, "RUNNING", TTS, "GONE");
        assertThat(fleet.answer(CHAT, machine)).isEqualTo(chat);

        // when the second is to have it, then the first makes room for its thaw
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", wanted(TTS, CHAT)));
        awaitStates(CHAT, "SUSPENDED", TTS, "RUNNING");
        assertThat(fleet.answer(TTS, machine)).isEqualTo(tts);

        // when the first is to have it again, then its own process goes on in the place of the second
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", wanted(CHAT, TTS)));
        awaitStates(CHAT, "RUNNING", TTS, "SUSPENDED");
        assertThat(fleet.answer(CHAT, machine)).isEqualTo(chat);
        assertThat(api.items("/pools/shared/decisions").reversed())
                .extracting(decision -> decision.path("action").asString() + " "
                        + decision.path("model").asString() + " "
                        + decision.path("operations").size())
                .containsExactly("THAW chat 1", "SWITCH tts 2", "SWITCH chat 1");

        // and what the pool had does not stand in the way of the other story
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", List.of()));
        List.of(CHAT, TTS).forEach(server -> fleet.end(server, machine));
        assertThat(running(machine)).isZero();
    }

    private static List<Map<String, Object>> wanted(Server wanted, Server other) {
        return List.of(member(wanted, 1), member(other, 0));
    }

    private static Map<String, Object> member(Server server, int replicas) {
        return Map.of(
                "model",
                server.name(),
                "version",
                "v1",
                "desiredReplicas",
                replicas,
                "keepAliveSeconds",
                60,
                "minResidencySeconds",
                0);
    }

    private void awaitStates(Server one, String state, Server other, String otherState) {
        Stand.await(() -> state(one).equals(state) && state(other).equals(otherState));
    }

    /** Of its newest process. */
    private String state(Server server) {
        return api.items("/workloads?name=" + server.name()).stream()
                .findFirst()
                .map(workload -> workload.path("state").asString())
                .orElse("");
    }

    @Test
    @Order(2)
    void whatIsWantedSoonIsInASecondMachinesMemoryBeforeItIsAskedFor() {
        // given a snapshot in one machine's own store and in the bucket
        Machine first = fleet.machine("a");
        String answer = freeze(WAVE, first);

        // when an autoscaler wants two replicas of it
        Stand.send(api, "PUT", "/models/wave/desired-replicas", Map.of("replicas", 2));

        // then another machine has it in its own store, and from there, whole, in its memory
        Stand.await(() -> hot(WAVE).stream().anyMatch(machine -> !machine.equals(first)));
        Machine second = hot(WAVE).stream()
                .filter(machine -> !machine.equals(first))
                .findFirst()
                .orElseThrow();

        // and a replica that is asked for there comes back from memory
        JsonNode restore = api.post(
                        "/restores", Map.of("model", "wave", "version", "v1", "nodeId", fleet.nodeId(second)))
                .path("restore");
        assertThat(restore.at("/decision/chain/0/score/chunks").asDouble()).isEqualTo(1.0);
        assertThat(fleet.answer(WAVE, second)).isEqualTo(answer);
        Stand.send(api, "PUT", "/models/wave/desired-replicas", Map.of("replicas", 0));
        fleet.end(WAVE, second);
    }

    /** Machines that have the server's only snapshot in memory, as they themselves and the catalogue say. */
    private List<Machine> hot(Server server) {
        JsonNode snapshot = api.items("/snapshots?model=" + server.name()).getFirst();
        String id = snapshot.path("id").asString();
        List<String> listed = api.get("/snapshots/" + id)
                .path("locations")
                .valueStream()
                .filter(copy -> copy.path("kind").asString().equals("MEMORY")
                        && copy.path("state").asString().equals("PRESENT"))
                .map(copy -> copy.path("nodeId").asString())
                .toList();
        return fleet.machines().stream()
                .filter(machine -> listed.contains(fleet.nodeId(machine))
                        && residents(machine).contains(id))
                .toList();
    }

    private List<String> residents(Machine machine) {
        return api.get("/nodes/" + fleet.nodeId(machine))
                .at("/inventory/tiers")
                .valueStream()
                .flatMap(tier -> tier.path("residents").valueStream())
                .filter(one ->
                        one.path("bytes").asLong() == one.path("totalBytes").asLong())
                .map(one -> one.path("snapshotId").asString())
                .toList();
    }

    @Test
    @Order(3)
    void whatALostMachineHadAnswersElsewhereAndDoesNotComeBack() throws IOException {
        // given two models that serve on one machine
        Machine lost = fleet.machine("a");
        String llm = serve(LLM, lost, 1);
        String asr = serve(ASR, lost, 5);

        // when its daemon dies, and its processes with nobody to watch them live on
        fleet.killDaemon(lost);

        // then they are back on other machines, with all of their state
        Stand.await(() -> recoveries("RECOVERED").size() == 2);
        Machine llmAt = placeOf(LLM);
        Machine asrAt = placeOf(ASR);
        assertThat(List.of(llmAt, asrAt)).doesNotContain(lost);
        assertThat(fleet.answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(fleet.answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(running(lost)).isEqualTo(2);

        // when the daemon is back, then it ends the old ones, and only them
        fleet.startDaemon(lost);
        Stand.await(() -> running(lost) == 0);
        Stand.await(() -> recoveries("RECOVERED").stream()
                .allMatch(one -> one.path("fenced").asBoolean()));
        Stand.await(() -> fleet.stack().online(api, lost.name()));
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(fleet.answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(fleet.answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(Files.readString(root.resolve("daemon-" + lost.name() + ".log")))
                .contains("a workload came back on another node meanwhile");

        // when the machine on which one is now loses its power
        llmAt.powerOff();

        // then that one moves on, and is found nowhere twice when the machine is back
        Stand.await(() -> !placeOf(LLM).equals(llmAt));
        Machine llmThen = placeOf(LLM);
        assertThat(fleet.answer(LLM, llmThen)).isEqualTo(llm);
        Machine again = fleet.boot(llmAt.name());
        fleet.startDaemon(again);
        Stand.await(() -> fleet.stack().online(api, again.name()));
        assertThat(running(again)).isZero();
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(fleet.answer(LLM, llmThen)).isEqualTo(llm);
        assertThat(fleet.answer(ASR, placeOf(ASR))).isEqualTo(asr);
    }

    /** Freezes a warm server as the first version of a model of its name; its answer. */
    private String freeze(Server server, Machine machine) {
        String answer = fleet.start(server, machine);
        api.post("/models", Map.of("name", server.name()));
        api.post("/models/" + server.name() + "/versions", Map.of("name", "v1", "image", "samples/cuda-server"));
        fleet.save(server, server.name(), "v1");
        return answer;
    }

    /** Brings a frozen server back, to be recovered; its answer. */
    private String serve(Server server, Machine machine, int priority) {
        String answer = freeze(server, machine);
        String restore = api.post(
                        "/restores", Map.of("model", server.name(), "version", "v1", "recoveryPriority", priority))
                .at("/restore/id")
                .asString();
        Stand.await(
                () -> api.get("/restores/" + restore).path("state").asString().equals("SUCCEEDED"));
        assertThat(placeOf(server)).isEqualTo(machine);
        assertThat(fleet.answer(server, machine)).isEqualTo(answer);
        return answer;
    }

    /** Where its newest restore that went well is. */
    private Machine placeOf(Server server) {
        return fleet.ofNode(api.items("/restores").stream()
                .filter(restore -> restore.path("model").asString().equals(server.name()))
                .filter(restore -> restore.path("state").asString().equals("SUCCEEDED"))
                .findFirst()
                .orElseThrow()
                .path("nodeId")
                .asString());
    }

    private long running(Machine machine) {
        return machine.running(fleet.stand().installation().cudaServer());
    }

    private long runningEverywhere() {
        return fleet.machines().stream().mapToLong(this::running).sum();
    }

    private List<JsonNode> recoveries(String state) {
        return api.items("/recoveries?state=" + state);
    }
}
