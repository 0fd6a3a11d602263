package io.gpusnap.service.platform.postgres;

import io.gpusnap.service.ServiceApplication;
import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.config.SecretFiles;
import io.gpusnap.service.testing.Api;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Several services on one PostgreSQL that can be killed and started again. */
public final class Replicas implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);

    private final Path folder;
    private final List<String> settings;
    private final DataDirectory database;
    private final List<ConfigurableApplicationContext> services = new ArrayList<>();
    private EmbeddedPostgres postgres;
    private int port;

    private Replicas(Path folder, List<String> settings) throws IOException {
        this.folder = folder;
        this.settings = settings;
        this.database = DataDirectory.open(Files.createDirectories(folder.resolve("database")));
        this.postgres = EmbeddedPostgres.start(database, new PostgresSettings(null, 0, START));
        this.port = Integer.parseInt(postgres.jdbcUrl().replaceFirst(".*:([0-9]+)/.*", "$1"));
    }

    /** @param settings of every service, as arguments */
    public static Replicas start(Path folder, int count, String... settings) throws IOException {
        Replicas replicas = new Replicas(folder, List.of(settings));
        for (int i = 0; i < count; i++) {
            replicas.add();
        }
        return replicas;
    }

    /** One more service. */
    public ConfigurableApplicationContext add() {
        List<String> arguments = new ArrayList<>(List.of(
                "--gpusnap.data-dir=" + folder.resolve("service-" + services.size()),
                "--gpusnap.security.access-token-file=" + folder.resolve("access-token"),
                "--server.port=0",
                "--spring.datasource.url=" + postgres.jdbcUrl(),
                "--spring.datasource.username=" + EmbeddedPostgres.USER,
                "--spring.datasource.password=" + postgres.password(),
                "--spring.datasource.hikari.connection-timeout=5000",
                "--spring.datasource.hikari.maximum-pool-size=8"));
        arguments.addAll(settings);
        ConfigurableApplicationContext service =
                SpringApplication.run(ServiceApplication.class, arguments.toArray(String[]::new));
        services.add(service);
        return service;
    }

    /** A caller of one of them. */
    public Api api(int which) {
        try {
            return new Api(
                    "http://127.0.0.1:" + services.get(which).getEnvironment().getRequiredProperty("local.server.port"),
                    SecretFiles.read(folder.resolve("access-token")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Stops every service. */
    public void stopServices() {
        services.forEach(ConfigurableApplicationContext::close);
        services.clear();
    }

    /** SIGKILL to the server and, by that, the end of everything that it does. */
    public void killPostgres() throws IOException, InterruptedException {
        Path file = database.resolve("postgres").resolve("postmaster.pid");
        long pid = Long.parseLong(Files.readAllLines(file).getFirst().strip());
        ProcessHandle server = ProcessHandle.of(pid).orElseThrow();
        List<ProcessHandle> all = new ArrayList<>(server.descendants().toList());
        all.add(server);
        all.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle one : all) {
            one.onExit().join();
        }
    }

    /** On the same data, under the same address. */
    public void startPostgres() {
        postgres = EmbeddedPostgres.start(database, new PostgresSettings(null, port, START));
    }

    @Override
    public void close() {
        stopServices();
        postgres.close();
        database.destroy();
    }
}
