package io.gpusnap.service.platform.postgres;

import static org.awaitility.Awaitility.await;

import io.gpusnap.service.ServiceApplication;
import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.config.SecretFiles;
import io.gpusnap.service.testing.Api;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** Several services on one PostgreSQL that can be killed and started again. */
public final class Replicas implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);
    private static final Duration START = Duration.ofSeconds(60);

    private final Path folder;
    private final List<String> settings;
    private final DataDirectory database;
    private final List<ConfigurableApplicationContext> services = new ArrayList<>();
    private final int port;
    private EmbeddedPostgres postgres;

    private Replicas(Path folder, List<String> settings) throws IOException {
        this.folder = folder;
        this.settings = settings;
        this.database = DataDirectory.open(Files.createDirectories(folder.resolve("database")));
        this.port = freePort();
        this.postgres = EmbeddedPostgres.start(database, new PostgresSettings(null, port, START));
    }

    /**
     * Below those that outgoing connections get: who calls a port of those again and again while nobody listens is connected with
     * himself one day, and then the server cannot have it back.
     */
    private static int freePort() {
        while (true) {
            int candidate = ThreadLocalRandom.current().nextInt(15_000, 32_000);
            try (ServerSocket free = new ServerSocket(candidate, 1, InetAddress.getLoopbackAddress())) {
                return free.getLocalPort();
            } catch (IOException taken) {
                LOG.debug("port {} is taken", candidate, taken);
            }
        }
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
        ConfigurableApplicationContext service = run(services.size());
        services.add(service);
        return service;
    }

    /** One more in a process of its own, which is the caller's to end. */
    public ServiceProcess process(String name) throws IOException {
        return ServiceProcess.start(
                arguments(name), folder.resolve(name + ".log"), SecretFiles.read(folder.resolve("access-token")));
    }

    private ConfigurableApplicationContext run(int which) {
        return SpringApplication.run(
                ServiceApplication.class, arguments("service-" + which).toArray(String[]::new));
    }

    private List<String> arguments(String name) {
        List<String> arguments = new ArrayList<>(List.of(
                "--gpusnap.data-dir=" + folder.resolve(name),
                "--gpusnap.security.access-token-file=" + folder.resolve("access-token"),
                "--server.port=0",
                "--spring.datasource.url=" + postgres.jdbcUrl(),
                "--spring.datasource.username=" + EmbeddedPostgres.USER,
                "--spring.datasource.password=" + postgres.password(),
                "--spring.datasource.hikari.connection-timeout=5000",
                "--spring.datasource.hikari.maximum-pool-size=8"));
        arguments.addAll(settings);
        return arguments;
    }

    private static int port(ConfigurableApplicationContext service) {
        return service.getEnvironment().getRequiredProperty("local.server.port", Integer.class);
    }

    /** A caller of one of them. */
    public Api api(int which) {
        try {
            return new Api(
                    "http://127.0.0.1:" + port(services.get(which)), SecretFiles.read(folder.resolve("access-token")));
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
        // One that it made while the others are looked up would live on, and no server starts as long as it does.
        new ProcessBuilder("kill", "-STOP", Long.toString(pid)).start().waitFor();
        List<ProcessHandle> all = new ArrayList<>(server.descendants().toList());
        all.add(server);
        all.forEach(ProcessHandle::destroyForcibly);
        for (ProcessHandle one : all) {
            one.onExit().join();
        }
    }

    /** On the same data, under the same address. */
    public void startPostgres() throws IOException {
        try {
            postgres = EmbeddedPostgres.start(database, new PostgresSettings(null, port, START));
        } catch (BadConfigurationException e) {
            throw new AssertionError(Files.readString(database.resolve("postgres.log")), e);
        }
    }

    /** Another client of the database, whose transaction holds what the query finds until it is closed. */
    public Connection holding(String query) throws SQLException {
        Connection connection = connect();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(query);
        }
        return connection;
    }

    /** Does it once, as nobody but the database's owner can. */
    public void execute(String command) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute(command);
        }
    }

    private Connection connect() throws SQLException {
        return DriverManager.getConnection(postgres.jdbcUrl(), EmbeddedPostgres.USER, postgres.password());
    }

    /** Transactions that wait for what another one holds. */
    public int waitingForLocks() throws SQLException {
        return count("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    }

    /** Of them, those that do such a statement. */
    public int waitingForLocks(String statement) throws SQLException {
        return count("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%"
                + statement + "%'");
    }

    /**
     * From now until it is killed the database answers no commit, though each one lasts: it waits for a second server, which
     * there is not.
     */
    public void holdAnswersOfCommits() throws SQLException {
        execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        execute("SELECT pg_reload_conf()");
        await().atMost(START).until(() -> count("SELECT count(*) FROM pg_settings WHERE setting = 'nobody'") == 1);
        // It does not outlive the server. Some commits are answered until all of the server's processes have heard of
        // it.
        execute("ALTER SYSTEM RESET synchronous_standby_names");
        Thread.ofVirtual().start(() -> {
            try (Connection connection = connect();
                    Statement statement = connection.createStatement()) {
                while (true) {
                    statement.execute("SELECT pg_logical_emit_message(true, 'test', 'a commit')");
                }
            } catch (SQLException killed) {
                LOG.info("the database was killed: {}", killed.getMessage());
            }
        });
        await().atMost(START)
                .until(() -> count("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") > 0);
    }

    /** Commits that last, are not answered, and wrote to the table. */
    public int unansweredCommits(String table) throws SQLException {
        return count("SELECT count(DISTINCT a.pid) FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid"
                + " WHERE a.wait_event = 'SyncRep' AND l.mode = 'RowExclusiveLock' AND l.relation = '" + table
                + "'::regclass");
    }

    private int count(String query) throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getInt(1);
        }
    }

    @Override
    public void close() {
        stopServices();
        postgres.close();
        database.destroy();
    }
}
