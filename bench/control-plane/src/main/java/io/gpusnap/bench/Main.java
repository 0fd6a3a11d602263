package io.gpusnap.bench;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;

/** Runs everything and writes what was found. */
public final class Main {
    private static final int DAEMONS = 16;
    private static final int QUEUED_EACH = 2000;
    private static final int TASKS = 60_000;

    private final Settings settings;
    private final Path data;

    private Main(Settings settings, Path data) {
        this.settings = settings;
        this.data = data;
    }

    /** Arguments are those of {@link Settings}. */
    public static void main(String[] arguments) throws Exception {
        Path data = Files.createTempDirectory("gpusnap-bench");
        try {
            new Main(Settings.parse(arguments), data).run();
        } finally {
            try (Stream<Path> files = Files.walk(data)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }

    private void run() throws IOException, InterruptedException, SQLException, ExecutionException {
        say("starting the service");
        try (Service first = Service.start(settings.serviceJar(), data.resolve("first"), Optional.empty());
                Connection connection = DriverManager.getConnection(first.jdbcUrl(), "gpusnap", first.password())) {
            Plans.load(connection);
            Population.template(first.http());
            try (Service second = Service.start(settings.serviceJar(), data.resolve("second"), Optional.of(first))) {
                Report.Claims claims = claims(first, second);
                Report.Rates rates = rates(first, connection);
                Report.Decisions small = decisions(settings.small(), second, connection, first.postgresLog());
                Report.Decisions large = decisions(settings.large(), second, connection, first.postgresLog());
                write(new Report(machine(connection), small, large, large.ratioTo(small), claims, rates));
            }
        }
    }

    private Report.Decisions decisions(Settings.Size size, Service service, Connection connection, Path log)
            throws IOException, InterruptedException, SQLException {
        say("growing to " + size.snapshots() + " snapshots on " + size.nodes() + " nodes");
        new Population(connection).grow(size);
        RestoreDecisions decisions = new RestoreDecisions(service.http(), size);
        say("restore decisions");
        Latencies latencies = decisions.measure(settings.warmUp(), settings.decisions());
        Daemon daemon = Daemon.register(service.http(), "bench-plans");
        String plans = new Plans(connection, log).of(() -> {
            decisions.once();
            daemon.heartbeat("[]");
            daemon.claim(0);
        });
        write("plans-" + size.snapshots() + ".txt", plans);
        return new Report.Decisions(size.snapshots(), size.nodes(), latencies);
    }

    private Report.Claims claims(Service first, Service second)
            throws IOException, InterruptedException, ExecutionException {
        say("from created to claimed");
        Daemon daemon = Daemon.register(first.http(), "bench-template");
        daemon.heartbeat("[]");
        JsonNode snapshots = Http.JSON.readTree(
                first.http().get("/api/v1/snapshots?model=bench-template").body());
        String snapshot = snapshots.at("/items/0/id").asString();
        return new Report.Claims(
                ClaimLatency.measure(first.http(), daemon, snapshot, settings.claims()),
                ClaimLatency.measure(second.http(), daemon, snapshot, settings.claims()));
    }

    private Report.Rates rates(Service service, Connection connection)
            throws IOException, InterruptedException, SQLException, ExecutionException {
        List<Daemon> daemons = new ArrayList<>();
        Population population = new Population(connection);
        for (int i = 0; i < DAEMONS; i++) {
            Daemon daemon = Daemon.register(service.http(), "bench-rate-" + i);
            population.queue(daemon.id(), QUEUED_EACH);
            daemons.add(daemon);
        }
        say("heartbeats");
        double heartbeats = Throughput.measure(daemons, settings.seconds(), daemon -> {
            daemon.heartbeat("[]");
            return true;
        });
        say("claims");
        double claims = Throughput.measure(
                daemons, settings.seconds(), daemon -> daemon.claim(0).isObject());
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(service.jdbcUrl());
        pool.setUsername("gpusnap");
        pool.setPassword(service.password());
        try (HikariDataSource database = new HikariDataSource(pool)) {
            say("db-scheduler");
            DbScheduler scheduler = new DbScheduler(database);
            return new Report.Rates(
                    DAEMONS,
                    heartbeats,
                    claims,
                    scheduler.executionsPerSecond(TASKS, settings.seconds()),
                    scheduler.latency(Math.min(100, settings.claims())));
        }
    }

    private static Report.Machine machine(Connection connection) throws SQLException, IOException {
        try (Statement statement = connection.createStatement();
                ResultSet version = statement.executeQuery("SELECT version()")) {
            version.next();
            return new Report.Machine(
                    Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                            .filter(line -> line.startsWith("model name"))
                            .findFirst()
                            .map(line -> line.substring(line.indexOf(':') + 1).strip())
                            .orElse("unknown"),
                    Runtime.getRuntime().availableProcessors(),
                    System.getProperty("os.version"),
                    System.getProperty("java.vm.version"),
                    version.getString(1),
                    Files.readString(Path.of("/proc/loadavg")).strip(),
                    System.getenv().getOrDefault("GPUSNAP_REVISION", "unknown"));
        }
    }

    private void write(Report report) throws IOException {
        write(
                "control-plane.json",
                Http.JSON
                                .rebuild()
                                .enable(SerializationFeature.INDENT_OUTPUT)
                                .build()
                                .writeValueAsString(report)
                        + "\n");
        write("control-plane.md", report.table());
        System.out.println(report.table());
    }

    private void write(String name, String text) throws IOException {
        Files.createDirectories(settings.out());
        Files.writeString(settings.out().resolve(name), text);
    }

    private static void say(String what) {
        System.out.printf(Locale.ROOT, "bench: %s%n", what);
    }
}
