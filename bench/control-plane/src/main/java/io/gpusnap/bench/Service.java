package io.gpusnap.bench;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** One instance of the service, as a process. */
final class Service implements AutoCloseable {
    private static final Duration START = Duration.ofMinutes(5);

    private final Process process;
    private final Path data;
    private final Http http;

    private Service(Process process, Path data, Http http) {
        this.process = process;
        this.data = data;
        this.http = http;
    }

    /** @param database of the first instance, for a second one; empty starts one */
    static Service start(Path jar, Path data, Optional<Service> database) throws IOException, InterruptedException {
        int port = freePort();
        List<String> command = new ArrayList<>(List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-jar",
                jar.toString(),
                "--gpusnap.data-dir=" + data,
                "--server.port=" + port,
                // Nodes of the population never report; they are not to be found silent meanwhile.
                "--gpusnap.nodes.grace=10h",
                "--gpusnap.nodes.lost-after=20h"));
        if (database.isPresent()) {
            command.add("--spring.datasource.url=" + database.get().jdbcUrl());
            command.add("--spring.datasource.username=gpusnap");
            command.add("--spring.datasource.password=" + database.get().password());
            command.add("--gpusnap.security.access-token-file="
                    + database.get().data.resolve("access-token"));
        }
        Files.createDirectories(data);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(data.resolve("service.log").toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroy));
        Path tokens = database.map(first -> first.data).orElse(data);
        Service service =
                new Service(process, data, new Http("http://127.0.0.1:" + port, tokens.resolve("access-token")));
        service.awaitReady();
        return service;
    }

    private void awaitReady() throws InterruptedException {
        long deadline = System.nanoTime() + START.toNanos();
        while (System.nanoTime() < deadline && process.isAlive()) {
            try {
                HttpResponse<String> health = http.get("/actuator/health");
                if (health.statusCode() == 200) {
                    return;
                }
            } catch (IOException e) {
                // not yet
            }
            Thread.sleep(300);
        }
        process.destroy();
        throw new IllegalStateException("the service did not start; see " + data.resolve("service.log"));
    }

    Http http() {
        return http;
    }

    String jdbcUrl() throws IOException {
        return "jdbc:postgresql://127.0.0.1:"
                + Files.readString(data.resolve("postgres-port")).strip() + "/gpusnap";
    }

    String password() throws IOException {
        return Files.readString(data.resolve("postgres-password")).strip();
    }

    Path postgresLog() {
        return data.resolve("postgres.log");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @Override
    public void close() throws InterruptedException {
        process.destroy();
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
    }
}
