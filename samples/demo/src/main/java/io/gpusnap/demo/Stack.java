package io.gpusnap.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import tools.jackson.databind.JsonNode;

/** The service and one node's daemon, started as a person would start them. */
final class Stack {

    static final String NODE = "demo-node";
    static final String OTHER_NODE = "demo-node-2";
    private static final String BUCKET = "gpusnap-demo";
    private static final int PREFERRED_PORT = 8080;
    private static final int START_SECONDS = 240;
    private static final long POLL_MILLIS = 100;
    private static final String LOOPBACK = "127.0.0.1";

    private final Installation installation;
    private final Launcher launcher;
    private final Places places;
    private final Terminal terminal;
    private final String address;
    private Optional<URI> s3 = Optional.empty();

    Stack(Installation installation, Launcher launcher, Places places, Terminal terminal) {
        this(installation, launcher, places, terminal, LOOPBACK);
    }

    /** @param address where service and S3 server listen */
    Stack(Installation installation, Launcher launcher, Places places, Terminal terminal, String address) {
        this.installation = installation;
        this.launcher = launcher;
        this.places = places;
        this.terminal = terminal;
        this.address = address;
    }

    /** An S3 server for the node's shared tier; nobody waits for it, the daemon finds it when it is up. */
    void startS3() {
        int port = freePort(9090);
        Path data = places.folder("s3");
        launcher.start(
                "s3",
                List.of(
                        installation.java().toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        installation.s3ServerLib() + "/*",
                        "com.adobe.testing.s3mock.S3MockApplication",
                        // Its second, encrypted port is not needed: any free one.
                        "--server.port=0",
                        "--server.address=" + address,
                        "--http.port=" + port,
                        "--com.adobe.testing.s3mock.max-payload-size=1GB",
                        "--com.adobe.testing.s3mock.store.root=" + data,
                        "--com.adobe.testing.s3mock.store.initial-buckets=" + BUCKET,
                        "--logging.level.root=WARN"),
                Map.of());
        s3 = Optional.of(URI.create("http://" + address + ":" + port));
    }

    /** @param settings of the service, besides those that it always gets */
    ControlPlane startService(String... settings) {
        return startServiceAt(freePort(PREFERRED_PORT), settings);
    }

    /** @param port where callers of one before still look for it */
    ControlPlane startServiceAt(int port, String... settings) {
        Path data = places.folder("service");
        List<String> command = new ArrayList<>(List.of(
                installation.java().toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-jar",
                installation.serviceJar().toString(),
                "--server.address=" + address,
                "--server.port=" + port,
                "--gpusnap.data-dir=" + data,
                // A person is waiting: a new process should be seen at once.
                "--gpusnap.nodes.heartbeat-interval=1s"));
        command.addAll(List.of(settings));
        Started service = launcher.start("service", command, Map.of());
        URI base = URI.create("http://" + address + ":" + port);
        await(service, () -> healthy(base));
        return new ControlPlane(base, read(data.resolve("access-token")));
    }

    /**
     * @param own the node's folders
     * @param cudaDriver what the daemon loads instead of the machine's libcuda, or empty
     */
    Started startDaemon(
            ControlPlane api,
            String node,
            Places own,
            Settings settings,
            Map<String, String> environment,
            String cudaDriver) {
        Started daemon =
                launcher.start("daemon-" + node, daemonCommand(api, node, own, settings, cudaDriver), environment);
        await(daemon, () -> online(api, node));
        return daemon;
    }

    /**
     * Writes the configuration of a node; what starts its daemon.
     *
     * @param own the node's folders, which need not be seen from here
     */
    List<String> daemonCommand(ControlPlane api, String node, Places own, Settings settings, String cudaDriver) {
        Map<String, Object> configuration = new LinkedHashMap<>();
        configuration.put("service.url", api.base());
        configuration.put("service.tokenFile", places.folder("service").resolve("access-token"));
        configuration.put("node.name", node);
        configuration.put("state.dir", own.root().resolve("daemon"));
        configuration.put("nvme.root", own.root().resolve("store"));
        configuration.put("memory.poolBytes", own.poolBytes(settings));
        configuration.put("memory.poolPath", own.memory().resolve("pool"));
        configuration.put("scratch.dir", own.memory().resolve("scratch"));
        configuration.put("native.dir", installation.nativeDir());
        configuration.put("metrics.listen", "127.0.0.1:" + freePort(9464));
        installation.criu().ifPresent(criu -> configuration.put("criu.path", criu));
        s3.ifPresent(endpoint -> {
            configuration.put("s3.bucket", BUCKET);
            configuration.put("s3.endpoint", endpoint);
            configuration.put("s3.allowedAddresses", address + "/32");
            configuration.put("s3.credentialsFile", credentials());
        });
        if (!cudaDriver.isEmpty()) {
            configuration.put("cuda.driver", cudaDriver);
        }
        String text = configuration.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + entry.getValue() + "\n")
                .collect(Collectors.joining());
        write(configurationOf(node), text);
        return nodeCommand(node, "run");
    }

    /** A command of a node that is configured. */
    List<String> nodeCommand(String node, String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                installation.java().toString(), "-jar", installation.daemonJar().toString()));
        command.addAll(List.of(arguments));
        command.addAll(List.of("--config", configurationOf(node).toString()));
        return command;
    }

    private Path configurationOf(String node) {
        return places.root().resolve(node + ".properties");
    }

    boolean online(ControlPlane api, String node) {
        return node(api, node).path("state").asString("").equals("ONLINE");
    }

    /** A daemon is online before it has looked at its shared tiers: until then nothing comes back from them there. */
    void awaitBucket(ControlPlane api, String node, Started daemon) {
        await(daemon, () -> {
            for (JsonNode tier : node(api, node).path("inventory").path("tiers")) {
                if (tier.path("kind").asString("").equals("S3")
                        && tier.has("storeId")
                        && tier.path("health").asString("").equals("HEALTHY")) {
                    return true;
                }
            }
            return false;
        });
    }

    /** The server takes any. */
    private Path credentials() {
        Path file = places.root().resolve("s3-credentials");
        write(file, "accessKeyId = demo\nsecretAccessKey = demo-secret\n");
        return file;
    }

    JsonNode node(ControlPlane api, String name) {
        return api.items("/nodes").stream()
                .filter(node -> node.path("name").asString().equals(name))
                .findFirst()
                .orElse(ControlPlane.JSON.missingNode());
    }

    private void await(Started process, BooleanSupplier ready) {
        long start = System.nanoTime();
        while (!ready.getAsBoolean()) {
            process.requireAlive();
            long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - start);
            if (seconds > START_SECONDS) {
                throw new DemoFailure(process.name() + " is not ready after " + seconds + " s; see " + process.log());
            }
            terminal.live(process.name() + " is starting, " + seconds + " s");
            Pause.millis(POLL_MILLIS);
        }
    }

    private static boolean healthy(URI base) {
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpRequest request = HttpRequest.newBuilder(base.resolve("/actuator/health"))
                    .timeout(Duration.ofSeconds(5))
                    .build();
            return http.send(request, HttpResponse.BodyHandlers.ofString()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }

    /** The preferred port if nobody listens there, else any free one. */
    static int freePort(int preferred) {
        for (int port : new int[] {preferred, 0}) {
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return socket.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new DemoFailure("no free TCP port on the loopback address");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
