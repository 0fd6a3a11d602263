package io.gpusnap.node.engine;

import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;

/** The sample server on the simulated driver, started with the preload as a user would. */
final class TestWorkload implements AutoCloseable {

    private static final ProcFs PROC = new ProcFs();
    private static final Pattern ANSWER = Pattern.compile("\"answer\":\\s*\"([0-9a-f]+)\"");

    private final Path folder;
    private final int port;
    private volatile ProcessId process;

    private TestWorkload(Path folder, int port, ProcessId process) {
        this.folder = folder;
        this.port = port;
        this.process = process;
    }

    static TestWorkload start(Path folder) throws Exception {
        return start(folder, Map.of(), List.of());
    }

    /** @param environment on top of preload, name and simulated driver; an empty value removes a variable */
    static TestWorkload start(Path folder, Map<String, String> environment, List<String> arguments) throws Exception {
        Files.createDirectories(folder);
        int port = freePort();
        int pid = launch(folder, command(folder, port, arguments), environment);
        return ready(folder, port, pid);
    }

    /** Two servers, the second one a child of the first: one workload, two processes that use CUDA, each a GPU of its own. */
    record Family(TestWorkload parent, TestWorkload child) {}

    static Family startFamily(Path folder) throws Exception {
        return startFamily(folder, "CUDA_VISIBLE_DEVICES=1 ");
    }

    /** The same, but the child has the nodes of some GPUs in a /dev of its own, and uses the first of them. */
    static Family startFamilyWithDevices(Path folder, String... nodes) throws Exception {
        return startFamily(folder, ownDevices(folder, nodes));
    }

    private static Family startFamily(Path folder, String beforeTheChild) throws Exception {
        Path parent = Files.createDirectories(folder.resolve("parent"));
        Path child = Files.createDirectories(folder.resolve("child"));
        int parentPort = freePort();
        int childPort = freePort();
        String both = "%s%s & exec %s"
                .formatted(
                        beforeTheChild,
                        String.join(" ", command(child, childPort, List.of())),
                        String.join(" ", command(parent, parentPort, List.of())));
        int pid = launch(parent, List.of("setsid", "/bin/sh", "-c", both), Map.of());
        TestWorkload first = ready(parent, parentPort, pid);
        int childPid = new ProcessTree(PROC)
                .of(first.process()).stream()
                        .mapToInt(ProcessId::pid)
                        .filter(one -> one != pid)
                        .findFirst()
                        .orElseThrow();
        return new Family(first, ready(child, childPort, childPid));
    }

    /** Two processes that use CUDA and share memory and connections, as the ranks of a communicator do: gpusnap-ranks. */
    static TestWorkload startRanks(Path folder, String... arguments) throws Exception {
        Files.createDirectories(folder);
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                "setsid",
                TestNatives.folder().resolveSibling("bin/gpusnap-ranks").toString(),
                "--port",
                Integer.toString(port),
                "--folder",
                folder.toString()));
        command.addAll(List.of(arguments));
        return ready(folder, port, launch(folder, command, Map.of()));
    }

    /** A server with a child that is another program, and uses no GPU. */
    static TestWorkload startWithHelper(Path folder) throws Exception {
        Files.createDirectories(folder);
        int port = freePort();
        String both = "sleep 1000 & exec " + String.join(" ", command(folder, port, List.of()));
        return ready(folder, port, launch(folder, List.of("setsid", "/bin/sh", "-c", both), Map.of()));
    }

    /** A server whose parent, a shell, is the workload: only the child uses CUDA. */
    static TestWorkload startBelowShell(Path folder, Map<String, String> environment) throws Exception {
        Files.createDirectories(folder);
        int port = freePort();
        String server = String.join(" ", command(folder, port, List.of())) + " & wait";
        return ready(folder, port, launch(folder, List.of("setsid", "/bin/sh", "-c", server), environment));
    }

    /** The same, with the nodes of some GPUs in a /dev that the shell has not. */
    static TestWorkload startBelowShellWithDevices(Path folder, String... nodes) throws Exception {
        Files.createDirectories(folder);
        int port = freePort();
        String server = ownDevices(folder, nodes) + String.join(" ", command(folder, port, List.of())) + " & wait";
        return ready(folder, port, launch(folder, List.of("setsid", "/bin/sh", "-c", server), Map.of()));
    }

    /** What a shell says before a command that is to have a /dev of its own, as a container has one. */
    private static String ownDevices(Path folder, String... nodes) {
        String script = """
                mkdir $0 && mount -t tmpfs tmpfs $0 && mkdir $0/shm && touch $0/null $0/zero $0/random $0/urandom %s
                for name in shm null zero random urandom; do mount --rbind /dev/$name $0/$name; done
                mount --rbind $0 /dev && exec "$@"
                """.formatted(Stream.of(nodes).map(node -> "$0/" + node).collect(Collectors.joining(" ")));
        return "GPUSNAP_SIM_DEV=/dev unshare -m /bin/sh -c '" + script + "' " + folder.resolve("dev") + " ";
    }

    private static List<String> command(Path folder, int port, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(
                TestNatives.cudaServer().toString(),
                "--port",
                Integer.toString(port),
                "--weights-mib",
                "48",
                "--kv-mib",
                "32",
                "--warmup-seconds",
                "0",
                "--workdir",
                folder.toString(),
                "--state-file",
                folder.resolve("state").toString(),
                "--log-file",
                folder.resolve("server.log").toString()));
        command.addAll(arguments);
        return command;
    }

    private static int launch(Path folder, List<String> command, Map<String, String> environment) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve("server.out").toFile()));
        builder.environment()
                .put(
                        "LD_LIBRARY_PATH",
                        TestNatives.simulatedDriver().getParent().toString());
        builder.environment().put("LD_PRELOAD", TestNatives.preload().toString());
        builder.environment().put("GPUSNAP_WORKLOAD", "test-server");
        builder.environment()
                .put("GPUSNAP_SOCKET_DIR", folder.resolve("sockets").toString());
        environment.forEach((name, value) -> {
            if (value.isEmpty()) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return (int) builder.start().pid();
    }

    private static TestWorkload ready(Path folder, int port, int pid) throws Exception {
        TestWorkload workload =
                new TestWorkload(folder, port, PROC.stat(pid).orElseThrow().id());
        try {
            workload.awaitReady();
        } catch (Exception | AssertionError e) {
            workload.close();
            throw new IllegalStateException(
                    "the server did not get ready: " + Files.readString(folder.resolve("server.out")), e);
        }
        return workload;
    }

    void awaitReady() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(60))
                .pollInterval(Duration.ofMillis(50))
                .ignoreExceptions()
                .until(() -> get("/ready").statusCode() == 200);
    }

    /** The answer to a prompt; one that was asked before changes nothing of the server's state. */
    String answer(String prompt) throws Exception {
        String body = get("/answer?prompt=" + prompt).body();
        Matcher matcher = ANSWER.matcher(body);
        if (!matcher.find()) {
            throw new IOException("no answer in " + body);
        }
        return matcher.group(1);
    }

    private HttpResponse<String> get(String path) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                            .timeout(Duration.ofSeconds(20))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        }
    }

    ProcessId process() {
        return process;
    }

    int port() {
        return port;
    }

    Path folder() {
        return folder;
    }

    boolean isAlive() {
        return PROC.isAlive(process);
    }

    /** After a thaw: the same place, another process. */
    void became(ProcessId newProcess) {
        process = newProcess;
    }

    /** Ends it and waits until its id is free. */
    void end() throws Exception {
        List<Integer> tasks = PROC.taskIds(process.pid());
        new ProcessTree(PROC).end(process);
        Awaitility.await()
                .until(() -> tasks.stream().noneMatch(task -> PROC.stat(task).isPresent()));
    }

    @Override
    public void close() throws Exception {
        new ProcessTree(PROC).end(process);
    }

    static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
