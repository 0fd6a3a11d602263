package io.gpusnap.service.kubernetes.operator;

import static io.gpusnap.service.kubernetes.operator.Given.soon;

import io.fabric8.kubernetes.api.model.Pod;
import io.gpusnap.service.node.Nodes;
import io.gpusnap.service.testing.Api;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/**
 * This machine as a node of the cluster: a GPU on the simulated driver, and the daemon as it is shipped, in a JVM of its own. It
 * needs what {@code make build} makes.
 */
final class GpuNode implements AutoCloseable {
    private static final Path ROOT =
            Path.of(System.getProperty("gpusnap.root", "..")).toAbsolutePath().normalize();
    private static final Path DAEMON = ROOT.resolve("node-daemon/target/gpusnap-node.jar");
    private static final long VRAM_BYTES = 1L << 30;
    private static final int STOP_SECONDS = 60;

    private final String name = "node-" + UUID.randomUUID();
    private final Api api;
    private final Nodes nodes;
    private final Path disk;
    private final Path memory;
    private final Path criu;
    private int cuda;
    private Optional<Process> daemon = Optional.empty();

    private GpuNode(Api api, Nodes nodes, Path disk, Path memory, Path criu) {
        this.api = api;
        this.nodes = nodes;
        this.disk = disk;
        this.memory = memory;
        this.criu = criu;
    }

    /** Ends the test, with the reason, where CRIU cannot run or the daemon was not built. */
    static GpuNode make(Api api, Nodes nodes, Path disk) throws IOException {
        Optional<Path> criu = criu();
        Assumptions.assumeTrue(
                criu.isPresent() && "root".equals(System.getProperty("user.name")),
                "a thaw needs CRIU (scripts/bootstrap.sh finds one) and root");
        for (Path part : List.of(DAEMON, cudaServer())) {
            Assumptions.assumeTrue(Files.exists(part), part + " is not there: run `make build` first");
        }
        Path memory = Files.createTempDirectory(
                Path.of("/dev/shm"),
                "gpusnap-story-",
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(
                memory.resolve("scratch"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Files.createDirectory(memory.resolve("simulated-gpu"));
        return new GpuNode(api, nodes, disk, memory, criu.get());
    }

    /** That scripts/bootstrap.sh found. */
    private static Optional<Path> criu() throws IOException {
        String named = System.getenv("GPUSNAP_CRIU");
        if (named != null && !named.isEmpty()) {
            return Optional.of(Path.of(named));
        }
        Path file = ROOT.resolve("build/env.sh");
        try (Stream<String> lines = Files.exists(file) ? Files.lines(file) : Stream.empty()) {
            return lines.filter(line -> line.startsWith("GPUSNAP_CRIU="))
                    .map(line -> line.substring("GPUSNAP_CRIU=".length())
                            .replace("\\", "")
                            .replace("'", ""))
                    .filter(value -> !value.isEmpty())
                    .map(Path::of)
                    .findFirst();
        }
    }

    String name() {
        return name;
    }

    Path memory() {
        return memory;
    }

    /** Where the native build put its libraries. */
    Path natives() {
        return Path.of(System.getProperty(
                        "gpusnap.native.dir",
                        ROOT.resolve("gpu-native/target/native/lib").toString()))
                .toAbsolutePath()
                .normalize();
    }

    static Path cudaServer() {
        return ROOT.resolve("gpu-native/target/native/samples/cuda-server/cuda-server");
    }

    /** Of the simulated driver, which every container with a GPU has. */
    Path devices() {
        return memory.resolve("simulated-gpu");
    }

    /** What a runtime with the GPU's own hook adds to a container. */
    Map<String, String> deviceEnvironment() {
        return Map.of(
                "LD_LIBRARY_PATH",
                natives().resolve("simulated").toString(),
                "GPUSNAP_SIM_STATE_DIR",
                devices().toString(),
                "GPUSNAP_SIM_VRAM_BYTES",
                Long.toString(VRAM_BYTES),
                "GPUSNAP_SIM_DRIVER_VERSION",
                Integer.toString(cuda));
    }

    /** Where a volume of the pod is: the installation's folder of a node is where the build left its content. */
    Path volume(Pod pod, String volume) {
        return pod.getSpec().getVolumes().stream()
                .filter(one -> one.getName().equals(volume)
                        && one.getHostPath() != null
                        && one.getHostPath().getPath().equals("/var/lib/gpusnap/lib"))
                .findFirst()
                .map(one -> natives())
                .orElseThrow(() -> new AssertionError("this kubelet knows no volume " + volume));
    }

    /** The daemon runs on a driver of this CUDA version; it is started again if it does not. */
    void runs(int cudaVersion) throws Exception {
        if (cuda == cudaVersion && daemon.filter(Process::isAlive).isPresent()) {
            return;
        }
        stop();
        cuda = cudaVersion;
        ProcessBuilder builder = new ProcessBuilder(
                        "setsid",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-jar",
                        DAEMON.toString(),
                        "run",
                        "--config",
                        configuration().toString())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        disk.resolve("daemon.log").toFile()));
        builder.environment().putAll(deviceEnvironment());
        builder.environment().remove("LD_LIBRARY_PATH");
        Process started = builder.start();
        daemon = Optional.of(started);
        soon().until(() -> {
            if (!started.isAlive()) {
                throw new AssertionError(Files.readString(disk.resolve("daemon.log")));
            }
            return nodes.named(name)
                    .filter(node ->
                            Integer.valueOf(cudaVersion).equals(node.inventory().cudaDriverVersion()))
                    .isPresent();
        });
    }

    private Path configuration() throws IOException {
        Path token = disk.resolve("token");
        Files.deleteIfExists(token);
        Files.createFile(token, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(token, api.token());
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("service.url", api.base());
        settings.put("service.tokenFile", token);
        settings.put("node.name", name);
        settings.put("state.dir", disk.resolve("state"));
        settings.put("memory.poolBytes", 256L << 20);
        settings.put("memory.poolPath", memory.resolve("pool"));
        settings.put("scratch.dir", memory.resolve("scratch"));
        settings.put("native.dir", natives());
        settings.put("cuda.driver", natives().resolve("simulated/libcuda.so.1"));
        settings.put("criu.path", criu);
        settings.put("metrics.listen", "off");
        return Files.writeString(
                disk.resolve("node.properties"),
                settings.entrySet().stream()
                        .map(one -> one.getKey() + "=" + one.getValue() + "\n")
                        .collect(Collectors.joining()));
    }

    /** Whether the daemon reports a process under this name. */
    boolean reports(String workload) {
        return !api.get("/api/v1/workloads?name=" + workload + "&state=RUNNING")
                .expect(200)
                .json()
                .path("items")
                .isEmpty();
    }

    private void stop() throws InterruptedException {
        Process running = daemon.orElse(null);
        if (running != null) {
            running.destroy();
            if (!running.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                running.destroyForcibly().waitFor();
            }
        }
        daemon = Optional.empty();
    }

    @Override
    public void close() throws Exception {
        stop();
        remove(memory);
    }

    static void remove(Path folder) throws IOException {
        try (Stream<Path> tree = Files.walk(folder)) {
            for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
