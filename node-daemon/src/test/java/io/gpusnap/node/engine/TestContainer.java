package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessStat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;

/**
 * A container as a pod has one: namespaces, root, control group and network of its own; its process 1 is gpusnap-placeholder,
 * its log a pipe. It is made by gpusnap-test-container; the image is this machine's root.
 */
final class TestContainer implements AutoCloseable {

    static final Path MODEL = Path.of("/srv/gpusnap-test-model");
    static final int PORT = 8000;

    private static final ProcFs PROC = new ProcFs();
    private static final Pattern ANSWER = Pattern.compile("\"answer\":\\s*\"([0-9a-f]+)\"");

    /** What differs between containers. */
    record Setup(String podUid, String host, String address, List<String> runtimeArguments, List<String> placeholder) {

        static Setup pod(String host, String address) {
            return new Setup(UUID.randomUUID().toString(), host, address, List.of(), List.of("--wait", "0"));
        }

        Setup waiting() {
            return new Setup(podUid, host, address, runtimeArguments, List.of("--wait", "120"));
        }

        /** @param nodes of GPUs that its /dev has: its processes can open these alone. Where none is named they can open all */
        Setup devices(String... nodes) {
            Setup given = this;
            for (String node : nodes) {
                given = given.with("--device", node);
            }
            return given;
        }

        Setup with(String... more) {
            List<String> all = new ArrayList<>(runtimeArguments);
            all.addAll(List.of(more));
            return new Setup(podUid, host, address, all, placeholder);
        }
    }

    private final ContainerRef ref;
    private final Path folder;
    private final Path group;
    private final Process runtime;
    private final StringBuffer log = new StringBuffer();
    private final Thread reader;
    private final ProcessId init;

    private TestContainer(ContainerRef ref, Path folder, Path group, Process runtime) {
        this.ref = ref;
        this.folder = folder;
        this.group = group;
        this.runtime = runtime;
        this.reader = Thread.ofVirtual().start(this::read);
        this.init = Awaitility.await("the container's first process")
                .until(() -> runtime.children().map(ProcessHandle::pid).toList(), pids -> !pids.isEmpty())
                .stream()
                .map(pid -> PROC.stat(pid.intValue()).orElseThrow().id())
                .findFirst()
                .orElseThrow();
    }

    /** @param server further arguments of the sample server */
    static TestContainer start(Path folder, Setup setup, String... server) throws Exception {
        return start(folder, setup, List.of(), server);
    }

    /** Its server has a child that is another program. */
    static TestContainer startWithHelper(Path folder, Setup setup) throws Exception {
        return start(folder, setup, List.of("/bin/sh", "-c", "sleep 1000 & exec \"$0\" \"$@\""));
    }

    private static TestContainer start(Path folder, Setup setup, List<String> before, String... server)
            throws Exception {
        ContainerRef ref = new ContainerRef(
                setup.podUid(), UUID.randomUUID().toString().replace("-", "").repeat(2));
        Path shm = Path.of("/dev/shm/gpusnap-test/containers").resolve(ref.containerId());
        Files.createDirectories(shm);
        Path group = hierarchy()
                .resolve("gpusnap-test-" + ProcessHandle.current().pid())
                .resolve("kubepods-burstable-pod" + setup.podUid().replace('-', '_') + ".slice")
                .resolve("cri-containerd-" + ref.containerId() + ".scope");
        Path natives = TestNatives.folder().getParent();
        List<String> command = new ArrayList<>(List.of(
                natives.resolve("bin/gpusnap-test-container").toString(),
                "--folder",
                shm.toString(),
                "--group",
                group.toString(),
                "--host",
                setup.host(),
                "--address",
                setup.address(),
                "--bind",
                natives.toString(),
                "--bind",
                machine().toString(),
                "--make",
                MODEL.toString()));
        command.addAll(setup.runtimeArguments());
        command.addAll(List.of(
                "--", TestNatives.folder().resolve("gpusnap-placeholder").toString()));
        command.addAll(setup.placeholder());
        command.add("--");
        command.addAll(before);
        command.add(TestNatives.cudaServer().toString());
        command.addAll(List.of("--port", Integer.toString(PORT), "--weights-mib", "48", "--kv-mib", "32"));
        command.addAll(List.of("--warmup-seconds", "0", "--workdir", MODEL.toString()));
        command.addAll(List.of("--state-file", MODEL.resolve("state").toString()));
        command.addAll(List.of(server));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true);
        builder.environment()
                .put(
                        "LD_LIBRARY_PATH",
                        TestNatives.simulatedDriver().getParent().toString());
        // The runtime and the placeholder have it too, and neither minds.
        builder.environment().put("LD_PRELOAD", TestNatives.preload().toString());
        builder.environment().put("GPUSNAP_WORKLOAD", setup.podUid());
        builder.environment().put("GPUSNAP_SOCKET_DIR", "/run/gpusnap");
        if (setup.runtimeArguments().contains("--device")) {
            builder.environment().put("GPUSNAP_SIM_DEV", "/dev");
        }
        return new TestContainer(ref, shm, group, builder.start());
    }

    /** Where the processes of this test run find the simulated GPUs. */
    private static Path machine() {
        String set = System.getenv("GPUSNAP_SIM_STATE_DIR");
        return set == null ? Path.of("/dev/shm/gpusnap-sim") : Path.of(set);
    }

    /** A hierarchy of control groups that this machine lets us write to. */
    private static Path hierarchy() {
        for (String place : List.of("/sys/fs/cgroup/unified", "/sys/fs/cgroup", "/sys/fs/cgroup/pids")) {
            if (Files.isWritable(Path.of(place).resolve("cgroup.procs"))) {
                return Path.of(place);
            }
        }
        throw new IllegalStateException("no hierarchy below /sys/fs/cgroup can be written to");
    }

    private void read() {
        try (var lines = runtime.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                log.append(line).append('\n');
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    ContainerRef ref() {
        return ref;
    }

    String log() {
        return log.toString();
    }

    ProcessId init() {
        return init;
    }

    Path root() {
        return Path.of("/proc/" + init.pid() + "/root");
    }

    PlaceholderState state() {
        return PlaceholderState.of(PROC, init).orElseThrow();
    }

    TestContainer awaitState(PlaceholderState state) {
        Awaitility.await("placeholder " + state)
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .until(() -> state() == state);
        return this;
    }

    /** The placeholder's only child. */
    ProcessId workload() {
        List<ProcessId> children = children();
        assertThat(children).hasSize(1);
        return children.getFirst();
    }

    List<ProcessId> children() {
        return ProcessHandle.of(init.pid()).stream()
                .flatMap(ProcessHandle::children)
                .map(child -> PROC.stat((int) child.pid()))
                .flatMap(Optional::stream)
                .filter(stat -> !stat.isDead())
                .map(ProcessStat::id)
                .toList();
    }

    TestContainer awaitReady() {
        Awaitility.await("ready")
                .atMost(Duration.ofSeconds(60))
                .ignoreExceptions()
                .until(() -> get("/ready").contains(" 200 "));
        return this;
    }

    void awaitLog(String text) {
        Awaitility.await(text).atMost(Duration.ofSeconds(60)).until(() -> log().contains(text));
    }

    String answer(String prompt) throws Exception {
        String text = get("/answer?prompt=" + prompt);
        Matcher matcher = ANSWER.matcher(text);
        if (!matcher.find()) {
            throw new IOException("no answer in " + text);
        }
        return matcher.group(1);
    }

    /** Asked from inside of its network. */
    private String get(String path) throws Exception {
        String ask = "exec 3<>/dev/tcp/127.0.0.1/%d; printf 'GET %s HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3"
                .formatted(PORT, path);
        Process asking = new ProcessBuilder("nsenter", "--net=/proc/" + init.pid() + "/ns/net", "bash", "-c", ask)
                .redirectErrorStream(true)
                .start();
        String text = new String(asking.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        asking.waitFor();
        return text;
    }

    /** As the kubelet does it; the exit status of the container. */
    int terminate() throws Exception {
        new ProcessBuilder("kill", "-TERM", Integer.toString(init.pid()))
                .start()
                .waitFor();
        return exitStatus();
    }

    int exitStatus() throws Exception {
        assertThat(runtime.waitFor(20, TimeUnit.SECONDS)).as("it ends: " + log).isTrue();
        reader.join();
        return runtime.exitValue();
    }

    @Override
    public void close() throws Exception {
        runtime.destroyForcibly().waitFor();
        reader.join();
        Awaitility.await().until(() -> !PROC.isAlive(init));
        // A group can only be removed when it is empty, and those above it when no other test's is in them.
        Awaitility.await().ignoreExceptions().until(() -> Files.deleteIfExists(group) || !Files.exists(group));
        for (Path above : List.of(group.getParent(), group.getParent().getParent())) {
            above.toFile().delete();
        }
        Folders.delete(folder);
    }
}
