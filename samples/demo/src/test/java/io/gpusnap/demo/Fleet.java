package io.gpusnap.demo;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * Machines in namespaces of their own that share a bucket, with a daemon each, and the service that they belong to. Of every
 * snapshot there is also a copy in the bucket.
 */
final class Fleet implements AutoCloseable {
    private static final Map<String, String> QUICK_START =
            Map.of("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:-UsePerfData -Xmx256m");

    /** A server to be frozen: its process id and port are its own on every machine, and come back with it. */
    record Server(String name, int pid, int port, String token) {}

    private final Path root;
    private final String prompt;
    private final List<String> settings;
    private final Stand stand;
    private final Network network = Network.ofThisProcess();
    private final List<Machine> machines = new ArrayList<>();
    private final Map<String, Started> daemons = new LinkedHashMap<>();
    private final Stack stack;
    private @Nullable ControlPlane api;

    private Fleet(Path root, Stand stand, String prompt, List<String> settings) {
        this.root = root;
        this.stand = stand;
        this.prompt = prompt;
        this.settings = settings;
        this.stack = stand.stack(network.hub());
    }

    /**
     * Starts everything.
     *
     * @param root a folder of the test's own
     * @param name of its folder in memory
     * @param prompt that its servers are asked
     * @param settings of the service, besides those that every fleet has
     */
    static Fleet start(Path root, String name, String prompt, List<String> machines, String... settings)
            throws IOException {
        List<String> all = new ArrayList<>(List.of(
                "--gpusnap.security.allow-remote=true",
                "--gpusnap.policies.interval=200ms",
                "--gpusnap.nodes.check-interval=200ms"));
        all.addAll(List.of(settings));
        Fleet fleet = new Fleet(root, Stand.on(root, name), prompt, all);
        try {
            fleet.start(machines);
            return fleet;
        } catch (IOException | RuntimeException | AssertionError e) {
            fleet.close();
            throw e;
        }
    }

    private void start(List<String> names) throws IOException {
        // What a machine's Places have on its disk is in "own"; models and state files are on a volume that all see.
        for (String name : names) {
            boot(name);
        }
        stack.startS3();
        api = stack.startService(settings.toArray(String[]::new));
        machines.forEach(this::startDaemon);
        machines.forEach(machine -> Stand.await(() -> stack.online(api(), machine.name())));
        api().post(
                        "/tier-policies",
                        Map.of(
                                "name",
                                "two-copies",
                                "spec",
                                Map.of(
                                        "enabled",
                                        true,
                                        "rules",
                                        List.of(Map.of("kind", "minimum-copies", "copies", 2)))));
    }

    Stand stand() {
        return stand;
    }

    Stack stack() {
        return stack;
    }

    ControlPlane api() {
        return Objects.requireNonNull(api, "the service does not run yet");
    }

    List<Machine> machines() {
        return machines;
    }

    Machine machine(String name) {
        return machines.stream()
                .filter(machine -> machine.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    Machine ofNode(String id) {
        return machine(api().get("/nodes/" + id).path("name").asString());
    }

    String nodeId(Machine machine) {
        return stack.node(api(), machine.name()).path("id").asString();
    }

    /** Its memory is empty, and its disk is what it was. */
    Machine boot(String name) throws IOException {
        Places places = stand.places();
        Path disk = places.folder("disk-" + name);
        for (String own : List.of("daemon", "store")) {
            Files.createDirectories(disk.resolve(own));
        }
        machines.removeIf(before -> before.name().equals(name));
        Machine machine = Machine.start(
                stand.launcher(), network, name, name.charAt(0) - 'a', places.memory(), disk, places.folder("own"));
        machines.add(machine);
        return machine;
    }

    void startDaemon(Machine machine) {
        daemons.put(
                machine.name(),
                machine.start(
                        "daemon-" + machine.name(),
                        stack.daemonCommand(
                                api(),
                                machine.name(),
                                new Places(root.resolve("own"), stand.places().memory()),
                                Stand.SMALL,
                                stand.installation().simulatedDriver().toString()),
                        ofNode()));
    }

    private Map<String, String> ofNode() {
        Map<String, String> environment = new LinkedHashMap<>(QUICK_START);
        environment.putAll(stand.workload(0).deviceEnvironment());
        return environment;
    }

    /** Its processes have nobody to watch them then, and live on. */
    void killDaemon(Machine machine) {
        machine.kill(Objects.requireNonNull(daemons.get(machine.name())));
    }

    /** Runs {@code gpusnap-node} there to its end; what it printed. */
    String byHand(Machine machine, String... arguments) throws IOException {
        Started command =
                machine.start(machine.name() + "-by-hand", stack.nodeCommand(machine.name(), arguments), ofNode());
        if (!command.awaitEnd(Stand.SECONDS)) {
            throw new AssertionError(String.join(" ", arguments) + " does not end: " + Started.tail(command.log()));
        }
        return Files.readString(command.log());
    }

    void killService() {
        stand.launcher().running().stream()
                .filter(process -> process.name().equals("service"))
                .forEach(service -> service.stop(false, Stand.SECONDS));
    }

    /** Where it was before, on what it had written. */
    void startServiceAgain() {
        api = stack.startServiceAt(api().base().getPort(), settings.toArray(String[]::new));
    }

    /** Starts a server that can be frozen; its answer. */
    String start(Server server, Machine machine) {
        List<String> command = new ArrayList<>(stand.workload(server.port()).command(0, server.name() + ".state"));
        command.addAll(List.of("--token", server.token(), "--address", "0.0.0.0"));
        Map<String, String> environment =
                new LinkedHashMap<>(stand.workload(server.port()).managedEnvironment());
        environment.put("GPUSNAP_WORKLOAD", server.name());
        machine.startWithId(server.pid(), root.resolve(server.name() + ".log"), command, environment);
        String answer = answer(server, machine);
        machine.idsOfOthers(); // all of the server's threads are there by now
        return answer;
    }

    /** Freezes a running server, and waits until the bucket has it; the snapshot's id. */
    String save(Server server, String model, String version) {
        String id = api().post(
                        "/snapshots",
                        Map.of(
                                "model",
                                model,
                                "version",
                                version,
                                "workloadId",
                                awaitWorkload(server),
                                "engine",
                                "criu+cuda",
                                "afterSave",
                                "STOP"))
                .at("/snapshot/id")
                .asString();
        Stand.await(() -> api().get("/snapshots/" + id)
                .path("locations")
                .valueStream()
                .anyMatch(copy -> copy.path("kind").asString().equals("S3")
                        && copy.path("state").asString().equals("PRESENT")));
        return id;
    }

    private String awaitWorkload(Server server) {
        Stand.await(() -> !running(server).isEmpty());
        return running(server).getFirst().path("id").asString();
    }

    /** What the service knows of its processes that run. */
    List<JsonNode> running(Server server) {
        return api().items("/workloads?name=" + server.name()).stream()
                .filter(one -> one.path("state").asString().equals("RUNNING"))
                .toList();
    }

    /** All of its state is in the answer: weights, cache, host memory. */
    String answer(Server server, Machine machine) {
        return new SampleServer(URI.create("http://" + machine.address() + ":" + server.port()))
                .askUntilAnswered(prompt, Stand.SECONDS, () -> {})
                .path("answer")
                .asString();
    }

    /** Ends its process there, and waits until it is gone. */
    void end(Server server, Machine machine) {
        machine.process(server.pid()).flatMap(ProcessHandle::of).ifPresent(ProcessHandle::destroyForcibly);
        Stand.await(() -> machine.process(server.pid()).isEmpty());
    }

    @Override
    public void close() {
        machines.forEach(Machine::powerOff);
        stand.close();
    }
}
