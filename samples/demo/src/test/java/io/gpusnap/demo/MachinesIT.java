package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
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
 * Three machines that share a bucket. Two models share the GPU of one of them; then what was on a lost one answers again elsewhere
 * with the same state, and the old processes cannot come back: with the service, daemons, CRIU and real processes, each machine in
 * namespaces of its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class MachinesIT {
    private static final String PROMPT = "before the loss";
    private static final Map<String, String> QUICK_START =
            Map.of("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m");

    /** A model's server: its process id and port are its own on every machine, and come back with it. */
    private record Server(String model, int pid, int port, String token) {}

    private static final Server LLM = new Server("llm", 20_000, 7001, "11".repeat(8));
    private static final Server ASR = new Server("asr", 21_000, 7002, "22".repeat(8));

    private static final Server CHAT = new Server("chat", 22_000, 7003, "33".repeat(8));
    private static final Server TTS = new Server("tts", 23_000, 7004, "44".repeat(8));

    private Path root;
    private final Network network = Network.ofThisProcess();
    private final List<Machine> machines = new ArrayList<>();
    private final Map<String, Started> daemons = new LinkedHashMap<>();
    private Stand stand;
    private Stack stack;
    private ControlPlane api;

    @BeforeAll
    void givenThreeMachines(@TempDir(cleanup = CleanupMode.ON_SUCCESS) Path folder) throws IOException {
        root = folder;
        // What a machine's Places have on its disk is in "own"; models and state files are on a volume that all see.
        stand = Stand.on(root, "loss");
        for (String name : List.of("a", "b", "c")) {
            machines.add(machine(name));
        }
        stack = stand.stack(network.hub());
        stack.startS3();
        api = stack.startService(
                "--gpusnap.security.allow-remote=true",
                "--gpusnap.nodes.grace=3s",
                "--gpusnap.nodes.lost-after=6s",
                "--gpusnap.nodes.check-interval=200ms",
                "--gpusnap.recovery.check-interval=200ms",
                "--gpusnap.schedule.check-interval=200ms",
                "--gpusnap.schedule.interval=500ms",
                "--gpusnap.policies.interval=200ms");
        machines.forEach(this::startDaemon);
        machines.forEach(machine -> Stand.await(() -> stack.online(api, machine.name())));
        api.post(
                "/tier-policies",
                Map.of(
                        "name",
                        "two-copies",
                        "spec",
                        Map.of("enabled", true, "rules", List.of(Map.of("kind", "minimum-copies", "copies", 2)))));
    }

    @AfterAll
    void end() {
        machines.forEach(Machine::powerOff);
        if (stand != null) {
            stand.close();
        }
    }

    private Machine machine(String name) throws IOException {
        Places places = stand.places();
        Path disk = places.folder("disk-" + name);
        for (String own : List.of("daemon", "store")) {
            Files.createDirectories(disk.resolve(own));
        }
        return Machine.start(
                stand.launcher(), network, name, name.charAt(0) - 'a', places.memory(), disk, places.folder("own"));
    }

    private void startDaemon(Machine machine) {
        Map<String, String> environment = new LinkedHashMap<>(QUICK_START);
        environment.putAll(stand.workload(0).deviceEnvironment());
        daemons.put(
                machine.name(),
                machine.start(
                        "daemon-" + machine.name(),
                        stack.daemonCommand(
                                api,
                                machine.name(),
                                new Places(root.resolve("own"), stand.places().memory()),
                                Stand.SMALL,
                                stand.installation().simulatedDriver().toString()),
                        environment));
    }

    @Test
    @Order(1)
    void twoModelsShareAGpuAsTheirDesiredReplicasSay() {
        // given two models with a snapshot each, and a pool with one machine's GPU
        Machine machine = machines.getLast();
        String chat = freeze(CHAT, machine);
        String tts = freeze(TTS, machine);
        String node = stack.node(api, machine.name()).path("id").asString();
        api.post("/pools", Map.of("name", "shared", "nodeIds", List.of(node), "models", wanted(CHAT, TTS)));

        // when the first is to have a replica, then it is thawed
        awaitStates(CHAT, "RUNNING", TTS, "GONE");
        assertThat(answer(CHAT, machine)).isEqualTo(chat);

        // when the second is to have it, then the first makes room for its thaw
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", wanted(TTS, CHAT)));
        awaitStates(CHAT, "SUSPENDED", TTS, "RUNNING");
        assertThat(answer(TTS, machine)).isEqualTo(tts);

        // when the first is to have it again, then its own process goes on in the place of the second
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", wanted(CHAT, TTS)));
        awaitStates(CHAT, "RUNNING", TTS, "SUSPENDED");
        assertThat(answer(CHAT, machine)).isEqualTo(chat);
        assertThat(api.items("/pools/shared/decisions").reversed())
                .extracting(decision -> decision.path("action").asString() + " "
                        + decision.path("model").asString() + " "
                        + decision.path("operations").size())
                .containsExactly("THAW chat 1", "SWITCH tts 2", "SWITCH chat 1");

        // and what the pool had does not stand in the way of the other story
        Stand.send(api, "PATCH", "/pools/shared", Map.of("models", List.of()));
        List.of(CHAT, TTS)
                .forEach(server -> machine.process(server.pid())
                        .flatMap(ProcessHandle::of)
                        .orElseThrow()
                        .destroyForcibly());
        Stand.await(() -> machine.running(stand.installation().cudaServer()) == 0);
    }

    private static List<Map<String, Object>> wanted(Server wanted, Server other) {
        return List.of(member(wanted, 1), member(other, 0));
    }

    private static Map<String, Object> member(Server server, int replicas) {
        return Map.of(
                "model",
                server.model(),
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
        return api.items("/workloads?name=" + server.model()).stream()
                .findFirst()
                .map(workload -> workload.path("state").asString())
                .orElse("");
    }

    @Test
    @Order(2)
    void whatALostMachineHadAnswersElsewhereAndDoesNotComeBack() throws IOException {
        // given two models that serve on one machine
        Machine lost = machines.getFirst();
        String llm = serve(LLM, lost, 1);
        String asr = serve(ASR, lost, 5);

        // when its daemon dies, and its processes with nobody to watch them live on
        lost.kill(daemons.get(lost.name()));

        // then they are back on other machines, with all of their state
        Stand.await(() -> recoveries("RECOVERED").size() == 2);
        Machine llmAt = placeOf(LLM);
        Machine asrAt = placeOf(ASR);
        assertThat(List.of(llmAt, asrAt)).doesNotContain(lost);
        assertThat(answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(lost.running(stand.installation().cudaServer())).isEqualTo(2);

        // when the daemon is back, then it ends the old ones, and only them
        startDaemon(lost);
        Stand.await(() -> lost.running(stand.installation().cudaServer()) == 0);
        Stand.await(() -> recoveries("RECOVERED").stream()
                .allMatch(one -> one.path("fenced").asBoolean()));
        Stand.await(() -> stack.online(api, lost.name()));
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(Files.readString(root.resolve("daemon-" + lost.name() + ".log")))
                .contains("a workload came back on another node meanwhile");

        // when the machine on which one is now loses its power
        llmAt.powerOff();

        // then that one moves on, and is found nowhere twice when the machine is back
        Stand.await(() -> !placeOf(LLM).equals(llmAt));
        Machine llmThen = placeOf(LLM);
        assertThat(answer(LLM, llmThen)).isEqualTo(llm);
        machines.remove(llmAt);
        Machine again = machine(llmAt.name());
        machines.add(again);
        startDaemon(again);
        Stand.await(() -> stack.online(api, again.name()));
        assertThat(again.running(stand.installation().cudaServer())).isZero();
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(answer(LLM, llmThen)).isEqualTo(llm);
        assertThat(answer(ASR, placeOf(ASR))).isEqualTo(asr);
    }

    /** Freezes a warm server, and waits until the bucket has it; its answer. */
    private String freeze(Server server, Machine machine) {
        List<String> command = new ArrayList<>(stand.workload(server.port()).command(0, server.model() + ".state"));
        command.addAll(List.of("--token", server.token(), "--address", "0.0.0.0"));
        Map<String, String> environment =
                new LinkedHashMap<>(stand.workload(server.port()).managedEnvironment());
        environment.put("GPUSNAP_WORKLOAD", server.model());
        machine.startWithId(server.pid(), root.resolve(server.model() + ".log"), command, environment);
        String answer = answer(server, machine);
        machine.idsOfOthers(); // all of the server's threads are there by now
        api.post("/models", Map.of("name", server.model()));
        api.post("/models/" + server.model() + "/versions", Map.of("name", "v1", "image", "samples/cuda-server"));
        JsonNode snapshot = api.post(
                        "/snapshots",
                        Map.of(
                                "model", server.model(),
                                "version", "v1",
                                "workloadId", awaitWorkload(server),
                                "engine", "criu+cuda",
                                "afterSave", "STOP"))
                .path("snapshot");
        String path = "/snapshots/" + snapshot.path("id").asString();
        Stand.await(() -> api.get(path)
                .path("locations")
                .valueStream()
                .anyMatch(copy -> copy.path("kind").asString().equals("S3")
                        && copy.path("state").asString().equals("PRESENT")));
        return answer;
    }

    /** Brings a frozen server back, to be recovered; its answer. */
    private String serve(Server server, Machine machine, int priority) {
        String answer = freeze(server, machine);
        String restore = api.post(
                        "/restores", Map.of("model", server.model(), "version", "v1", "recoveryPriority", priority))
                .at("/restore/id")
                .asString();
        Stand.await(
                () -> api.get("/restores/" + restore).path("state").asString().equals("SUCCEEDED"));
        assertThat(placeOf(server)).isEqualTo(machine);
        assertThat(answer(server, machine)).isEqualTo(answer);
        return answer;
    }

    private String awaitWorkload(Server server) {
        Stand.await(() -> !workloads(server).isEmpty());
        return workloads(server).getFirst().path("id").asString();
    }

    private List<JsonNode> workloads(Server server) {
        return api.items("/workloads?name=" + server.model()).stream()
                .filter(one -> one.path("state").asString().equals("RUNNING"))
                .toList();
    }

    /** Where its newest restore that went well is. */
    private Machine placeOf(Server server) {
        String node = api.items("/restores").stream()
                .filter(restore -> restore.path("model").asString().equals(server.model()))
                .filter(restore -> restore.path("state").asString().equals("SUCCEEDED"))
                .findFirst()
                .orElseThrow()
                .path("nodeId")
                .asString();
        String name = api.get("/nodes/" + node).path("name").asString();
        return machines.stream()
                .filter(machine -> machine.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** All of its state is in the answer: weights, cache, host memory. */
    private String answer(Server server, Machine machine) {
        return new SampleServer(URI.create("http://" + machine.address() + ":" + server.port()))
                .askUntilAnswered(PROMPT, Stand.SECONDS, () -> {})
                .path("answer")
                .asString();
    }

    private long runningEverywhere() {
        return machines.stream()
                .mapToLong(machine -> machine.running(stand.installation().cudaServer()))
                .sum();
    }

    private List<JsonNode> recoveries(String state) {
        return api.items("/recoveries?state=" + state);
    }
}
