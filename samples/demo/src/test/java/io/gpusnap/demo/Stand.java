package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * What tests with real services, daemons and processes stand on: where things are installed and kept, who starts them, and that they
 * end with the test.
 */
final class Stand implements AutoCloseable {

    static final int SECONDS = 120;
    static final Settings SMALL = new Settings(32, 16, 1, Settings.Driver.SIMULATED, false);

    private final Installation installation;
    private final Launcher launcher;
    private final Places places;

    private Stand(Installation installation, Launcher launcher, Places places) {
        this.installation = installation;
        this.launcher = launcher;
        this.places = places;
    }

    /**
     * Skips the test where there can be no full snapshots.
     *
     * @param root a folder of the test's own
     * @param name of its folder in memory
     */
    static Stand on(Path root, String name) throws IOException {
        Installation installation = Installation.find(System.getenv());
        assumeTrue(
                installation.criu().isPresent() && "root".equals(System.getProperty("user.name")),
                "full snapshots need CRIU and root: " + installation.criuReason());
        FileAttribute<Set<PosixFilePermission>> ownerOnly =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path memory = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-" + name + "-", ownerOnly);
        Files.createDirectory(memory.resolve("scratch"), ownerOnly);
        return new Stand(installation, new Launcher(root), new Places(root, memory));
    }

    Installation installation() {
        return installation;
    }

    Launcher launcher() {
        return launcher;
    }

    Places places() {
        return places;
    }

    Stack stack() {
        return new Stack(installation, launcher, places, new Terminal(System.out, false));
    }

    /** @param address where service and S3 server listen */
    Stack stack(String address) {
        return new Stack(installation, launcher, places, new Terminal(System.out, false), address);
    }

    Workload workload(int port) {
        return new Workload(installation, SMALL, places, true, port);
    }

    @Override
    public void close() {
        launcher.stopAll();
        places.removeMemory();
    }

    /** A change of something whatever its state is: with {@code If-Match: *}. */
    static void send(ControlPlane api, String method, String path, Object body) {
        HttpRequest request = HttpRequest.newBuilder(URI.create(api.base() + "/api/v1" + path))
                .header("Authorization", "Bearer " + api.token())
                .header("Content-Type", "application/json")
                .header("If-Match", "*")
                .method(method, HttpRequest.BodyPublishers.ofString(ControlPlane.JSON.writeValueAsString(body)))
                .build();
        try (HttpClient http = HttpClient.newHttpClient()) {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).as(answer.body()).isIn(200, 204);
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    static void await(BooleanSupplier holds) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!holds.getAsBoolean()) {
            assertThat(System.nanoTime()).as("after " + SECONDS + " s").isLessThan(deadline);
            Pause.millis(50);
        }
    }
}
