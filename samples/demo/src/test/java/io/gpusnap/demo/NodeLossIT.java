package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/**
 * Three machines that share a bucket. What was on a lost one answers again elsewhere with the same state, and the old processes
 * cannot come back: with the service, daemons, CRIU and real processes, each machine in namespaces of its own.
 */
class NodeLossIT {
    private static final int SECONDS = 90;
    private static final String PROMPT = "before the loss";
    private static final Settings SMALL = new Settings(32, 16, 1, Settings.Driver.SIMULATED, false);
    private static final Map<String, String> QUICK_START =
            Map.of("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m");

    /** A model's server: its process id and port are its own on every machine, and come back with it. */
    private record Server(String model, int pid, int port, String token) {}

    private static final Server LLM = new Server("llm", 20_000, 7001, "11".repeat(8));
    private static final Server ASR = new Server("asr", 21_000, 7002, "22".repeat(8));

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    private Path root;

    private final Network network = Network.ofThisProcess();
    private final List<Machine> machines = new ArrayList<>();
    private final Map<String, Started> daemons = new LinkedHashMap<>();
    private Path memory;
    private Installation installation;
    private Launcher launcher;
    private Places places;
    private Stack stack;
    private ControlPlane api;

    @BeforeEach
    void givenThreeMachines() throws IOException {
        installation = Installation.find(System.getenv());
        assumeTrue(
                installation.criu().isPresent() && "root".equals(System.getProperty("user.name")),
                "full snapshots need CRIU and root: " + installation.criuReason());
        memory = Files.createTempDirectory(
                Path.of("/dev/shm"),
                "gpusnap-loss-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        // What a machine's Places have on its disk is in "own"; models and state files are on a volume that all see.
        places = new Places(root, memory);
        launcher = new Launcher(root);
        for (String name : List.of("a", "b", "c")) {
            machines.add(machine(name));
        }
        stack = new Stack(installation, launcher, places, new Terminal(System.out, false), network.hub());
        stack.startS3();
        api = stack.startService(
                "--gpusnap.security.allow-remote=true",
                "--gpusnap.nodes.grace=2s",
                "--gpusnap.nodes.lost-after=4s",
                "--gpusnap.nodes.check-interval=200ms",
                "--gpusnap.recovery.check-interval=200ms",
                "--gpusnap.policies.interval=200ms");
        machines.forEach(this::startDaemon);
        machines.forEach(machine -> await(() -> stack.online(api, machine.name())));
        api.post(
                "/tier-policies",
                Map.of(
                        "name",
                        "two-copies",
                        "spec",
                        Map.of("enabled", true, "rules", List.of(Map.of("kind", "minimum-copies", "copies", 2)))));
    }

    @AfterEach
    void end() {
        machines.forEach(Machine::powerOff);
        if (launcher != null) {
            launcher.stopAll();
            places.removeMemory();
        }
    }

    private Machine machine(String name) throws IOException {
        Path disk = places.folder("disk-" + name);
        for (String own : List.of("daemon", "store")) {
            Files.createDirectories(disk.resolve(own));
        }
        return Machine.start(launcher, network, name, name.charAt(0) - 'a', memory, disk, places.folder("own"));
    }

    private void startDaemon(Machine machine) {
        Map<String, String> environment = new LinkedHashMap<>(QUICK_START);
        environment.putAll(workload(0).deviceEnvironment());
        daemons.put(
                machine.name(),
                machine.start(
                        "daemon-" + machine.name(),
                        stack.daemonCommand(
                                api,
                                machine.name(),
                                new Places(root.resolve("own"), memory),
                                SMALL,
                                installation.simulatedDriver().toString()),
                        environment));
    }

    private Workload workload(int port) {
        return new Workload(installation, SMALL, places, true, port);
    }

    @Test
    void whatALostMachineHadAnswersElsewhereAndDoesNotComeBack() throws IOException {
        // given two models that serve on one machine
        Machine lost = machines.getFirst();
        String llm = serve(LLM, lost, 1);
        String asr = serve(ASR, lost, 5);

        // when its daemon dies, and its processes with nobody to watch them live on
        lost.kill(daemons.get(lost.name()));

        // then they are back on other machines, with all of their state
        await(() -> recoveries("RECOVERED").size() == 2);
        Machine llmAt = placeOf(LLM);
        Machine asrAt = placeOf(ASR);
        assertThat(List.of(llmAt, asrAt)).doesNotContain(lost);
        assertThat(answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(lost.running(installation.cudaServer())).isEqualTo(2);

        // when the daemon is back, then it ends the old ones, and only them
        startDaemon(lost);
        await(() -> lost.running(installation.cudaServer()) == 0);
        await(() -> recoveries("RECOVERED").stream()
                .allMatch(one -> one.path("fenced").asBoolean()));
        await(() -> stack.online(api, lost.name()));
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(answer(LLM, llmAt)).isEqualTo(llm);
        assertThat(answer(ASR, asrAt)).isEqualTo(asr);
        assertThat(Files.readString(root.resolve("daemon-" + lost.name() + ".log")))
                .contains("a workload came back on another node meanwhile");

        // when the machine on which one is now loses its power
        llmAt.powerOff();

        // then that one moves on, and is found nowhere twice when the machine is back
        await(() -> !placeOf(LLM).equals(llmAt));
        Machine llmThen = placeOf(LLM);
        assertThat(answer(LLM, llmThen)).isEqualTo(llm);
        machines.remove(llmAt);
        Machine again = machine(llmAt.name());
        machines.add(again);
        startDaemon(again);
        await(() -> stack.online(api, again.name()));
        assertThat(again.running(installation.cudaServer())).isZero();
        assertThat(runningEverywhere()).isEqualTo(2);
        assertThat(answer(LLM, llmThen)).isEqualTo(llm);
        assertThat(answer(ASR, placeOf(ASR))).isEqualTo(asr);
    }

    /** Freezes a warm server, waits until the bucket has it, and brings it back, to be recovered; its answer. */
    private String serve(Server server, Machine machine, int priority) {
        List<String> command = new ArrayList<>(workload(server.port()).command(0, server.model() + ".state"));
        command.addAll(List.of("--token", server.token(), "--address", "0.0.0.0"));
        Map<String, String> environment =
                new LinkedHashMap<>(workload(server.port()).managedEnvironment());
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
        await(() -> api.get(path)
                .path("locations")
                .valueStream()
                .anyMatch(copy -> copy.path("kind").asString().equals("S3")
                        && copy.path("state").asString().equals("PRESENT")));
        String restore = api.post(
                        "/restores", Map.of("model", server.model(), "version", "v1", "recoveryPriority", priority))
                .at("/restore/id")
                .asString();
        await(() -> api.get("/restores/" + restore).path("state").asString().equals("SUCCEEDED"));
        assertThat(placeOf(server)).isEqualTo(machine);
        assertThat(answer(server, machine)).isEqualTo(answer);
        return answer;
    }

    private String awaitWorkload(Server server) {
        await(() -> !workloads(server).isEmpty());
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
                .askUntilAnswered(PROMPT, SECONDS, () -> {})
                .path("answer")
                .asString();
    }

    private long runningEverywhere() {
        return machines.stream()
                .mapToLong(machine -> machine.running(installation.cudaServer()))
                .sum();
    }

    private List<JsonNode> recoveries(String state) {
        return api.items("/recoveries?state=" + state);
    }

    private static void await(BooleanSupplier holds) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as("after " + SECONDS + " s").isLessThan(deadline);
            Pause.millis(50);
        }
    }
}
