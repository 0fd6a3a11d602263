package io.gpusnap.service.platform.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.ServiceApplication;
import io.gpusnap.service.testing.Api;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A service in a process of its own, which signals can stop and kill. */
public final class ServiceProcess implements AutoCloseable {
    private static final Pattern ADDRESS = Pattern.compile("Swagger UI:\\s+(http://[^/]+)/");
    private static final Duration START = Duration.ofMinutes(3);

    private final Process process;
    private final Path log;
    private final String token;

    private ServiceProcess(Process process, Path log, String token) {
        this.process = process;
        this.log = log;
        this.token = token;
    }

    static ServiceProcess start(List<String> arguments, Path log, String token) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx512m",
                "-cp",
                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                ServiceApplication.class.getName()));
        command.addAll(arguments);
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        ServiceProcess service = new ServiceProcess(process, log, token);
        await().atMost(START).until(() -> {
            assertThat(process.isAlive()).as(service::output).isTrue();
            return service.address().isPresent();
        });
        return service;
    }

    private Optional<String> address() {
        return Optional.of(ADDRESS.matcher(output())).filter(Matcher::find).map(found -> found.group(1));
    }

    private String output() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** A caller of it. */
    public Api api() {
        return new Api(address().orElseThrow(), token);
    }

    /** From now on it does nothing, and all that it has open stays so. */
    public void suspend() throws IOException, InterruptedException {
        signal("STOP");
    }

    public void resume() throws IOException, InterruptedException {
        signal("CONT");
    }

    private void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                        .start()
                        .waitFor())
                .isZero();
    }

    /** SIGKILL. */
    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
