package io.gpusnap.node.tier.s3;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.awaitility.Awaitility;
import software.amazon.awssdk.services.s3.S3Client;

/** A real S3 server in a process of its own, one for all tests of this JVM; each test has a bucket of its own. */
public final class S3Server {

    private static S3Server running;

    private final Process process;
    private final Path folder;
    private final URI endpoint;

    private S3Server(Process process, Path folder, URI endpoint) {
        this.process = process;
        this.folder = folder;
        this.endpoint = endpoint;
    }

    public static synchronized S3Server shared() throws Exception {
        if (running == null || !running.process.isAlive()) {
            running = start();
            Runtime.getRuntime().addShutdownHook(new Thread(running::stop));
        }
        return running;
    }

    private static S3Server start() throws Exception {
        Path lib = Path.of(System.getProperty("gpusnap.root", ".."), "samples/s3-server/target/lib");
        if (!Files.isDirectory(lib)) {
            throw new IllegalStateException(lib + " is not there: build the module samples/s3-server first");
        }
        Path folder = Files.createTempDirectory("gpusnap-s3-");
        int port = freePort();
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin/java").toString(),
                        "-Xmx384m",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        lib + "/*",
                        "com.adobe.testing.s3mock.S3MockApplication",
                        "--server.port=0",
                        "--http.port=" + port,
                        "--com.adobe.testing.s3mock.max-payload-size=1GB",
                        "--com.adobe.testing.s3mock.store.root=" + Files.createDirectories(folder.resolve("data")),
                        "--logging.level.root=WARN"))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        Awaitility.await("the S3 server answers")
                .atMost(Duration.ofSeconds(90))
                .pollInterval(Duration.ofMillis(200))
                .until(() -> listens(process, folder, port));
        return new S3Server(process, folder, URI.create("http://127.0.0.1:" + port));
    }

    private static boolean listens(Process process, Path folder, int port) throws IOException {
        if (!process.isAlive()) {
            throw new IllegalStateException("the S3 server ended: " + Files.readString(folder.resolve("log")));
        }
        try (Socket socket = new Socket("127.0.0.1", port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    public URI endpoint() {
        return endpoint;
    }

    /** A new, empty bucket. */
    public String bucket() {
        String name = "test-" + UUID.randomUUID();
        try (S3Client client = Clients.of(settings("any-bucket"))) {
            client.createBucket(request -> request.bucket(name));
        }
        return name;
    }

    public S3Settings settings(String bucket) {
        return settings(bucket, endpoint);
    }

    /** As an operator would write them for a server on this machine. */
    public static S3Settings settings(String bucket, URI endpoint) {
        return S3Settings.of(
                bucket,
                endpoint,
                AddressRules.allowing(List.of("127.0.0.0/8")),
                new S3Settings.Credentials("test", "test-secret", java.util.Optional.empty()));
    }

    /** The same store, asked in another way. */
    public static S3Settings asking(S3Settings plain, int partBytes, int connections, Duration deadline, int attempts) {
        return new S3Settings(
                plain.bucket(),
                plain.prefix(),
                plain.endpoint(),
                plain.region(),
                plain.addresses(),
                plain.credentials(),
                plain.pathStyle(),
                plain.checksums(),
                plain.encryption(),
                partBytes,
                connections,
                deadline,
                attempts);
    }

    private void stop() {
        process.destroyForcibly();
        try {
            process.waitFor();
            try (var files = Files.walk(folder)) {
                files.sorted(java.util.Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException("cannot clean up " + folder, e);
        }
    }
}
