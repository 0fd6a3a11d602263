package io.gpusnap.service.platform.postgres;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.config.SecretFiles;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.util.FileSystemUtils;

/**
 * A real PostgreSQL under the data directory: {@code postgres/} is its data, {@code postgres-password} and
 * {@code postgres-port} go with it, {@code postgres.log} is its log. It listens on loopback, wants the password (SCRAM),
 * syncs to disk, and stops with the service. If the service is killed, its server lives on and is ended at the next
 * start.
 */
final class EmbeddedPostgres implements AutoCloseable {
    static final String USER = "gpusnap";
    static final String DATABASE = "gpusnap";
    private static final String MAJOR_VERSION = "18";
    private static final Duration STOP_LIMIT = Duration.ofSeconds(30);
    private static final long LOG_LIMIT_BYTES = 10L << 20;
    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedPostgres.class);

    private final Postmaster postmaster;
    private final int port;
    private final String password;

    private EmbeddedPostgres(Postmaster postmaster, int port, String password) {
        this.postmaster = postmaster;
        this.port = port;
        this.password = password;
    }

    String jdbcUrl() {
        return url(port, DATABASE);
    }

    String password() {
        return password;
    }

    static EmbeddedPostgres start(DataDirectory directory, PostgresSettings settings) {
        try {
            return startUnchecked(directory, settings);
        } catch (IOException e) {
            throw new BadConfigurationException(
                    "gpusnap.postgres", "the embedded database does not start: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the embedded database was starting", e);
        }
    }

    private static EmbeddedPostgres startUnchecked(DataDirectory directory, PostgresSettings settings)
            throws IOException, InterruptedException {
        PostgresBinaries binaries = PostgresBinaries.unpackedUnder(settings.binariesDirOrDefault());
        ServerUser user = ServerUser.detect();
        Path data = directory.resolve("postgres");
        Path passwordFile = directory.resolve("postgres-password");
        Path log = directory.resolve("postgres.log");
        if (Files.exists(log) && Files.size(log) > LOG_LIMIT_BYTES) {
            Files.move(log, directory.resolve("postgres.log.1"), StandardCopyOption.REPLACE_EXISTING);
        }
        if (!Files.exists(data.resolve("PG_VERSION"))) {
            initialise(binaries, user, data, passwordFile, log);
        }
        checkVersion(data);
        Optional<Postmaster> orphan = Postmaster.findOn(data);
        if (orphan.isPresent()) {
            LOG.warn(
                    "ending the PostgreSQL that a killed service left, process {}",
                    orphan.get().process().pid());
            orphan.get().stop(STOP_LIMIT);
        }
        int port = choosePort(settings, directory.resolve("postgres-port"));
        Process process = new ProcessBuilder(user.command(binaries.program("postgres"), serverArguments(data, port)))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        EmbeddedPostgres started =
                new EmbeddedPostgres(new Postmaster(process.toHandle()), port, SecretFiles.read(passwordFile));
        try {
            started.awaitAnswer(process, settings.startTimeout(), log);
        } catch (IOException | InterruptedException | RuntimeException e) {
            started.close();
            throw e;
        }
        return started;
    }

    private static List<String> serverArguments(Path data, int port) {
        return List.of(
                "-D", data.toString(),
                "-p", String.valueOf(port),
                "-c", "listen_addresses=127.0.0.1",
                "-c", "unix_socket_directories=",
                "-c", "max_connections=60",
                "-c", "shared_buffers=64MB",
                "-c", "timezone=UTC",
                "-c", "log_timezone=UTC",
                "-c", "log_min_messages=warning");
    }

    /** Initialises beside the final place and renames, so that a start cut off half-way is simply done again. */
    private static void initialise(PostgresBinaries binaries, ServerUser user, Path data, Path passwordFile, Path log)
            throws IOException, InterruptedException {
        String[] files = data.toFile().list();
        if (files != null && files.length > 0) {
            throw new IOException(data + " has files but no PostgreSQL in it");
        }
        Path fresh = data.resolveSibling("postgres.new");
        FileSystemUtils.deleteRecursively(fresh);
        SecretFiles.write(passwordFile, SecretFiles.newSecret());
        Process initdb = new ProcessBuilder(user.command(
                        binaries.program("initdb"),
                        List.of(
                                "-D",
                                fresh.toString(),
                                "-U",
                                USER,
                                "--pwfile=" + passwordFile,
                                "--auth=scram-sha-256",
                                "--encoding=UTF8",
                                "--locale=C",
                                "--locale-provider=builtin",
                                "--builtin-locale=C.UTF-8")))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()))
                .start();
        if (initdb.waitFor() != 0) {
            throw new IOException("initdb failed, see " + log);
        }
        Files.deleteIfExists(data);
        Files.move(fresh, data, StandardCopyOption.ATOMIC_MOVE);
    }

    private static void checkVersion(Path data) throws IOException {
        String version = Files.readString(data.resolve("PG_VERSION")).strip();
        if (!version.equals(MAJOR_VERSION)) {
            throw new IOException(data + " is of PostgreSQL " + version + ", this release brings " + MAJOR_VERSION
                    + "; dump and reload it, or set spring.datasource.url");
        }
    }

    private static int choosePort(PostgresSettings settings, Path remembered) throws IOException {
        if (settings.port() != 0) {
            return settings.port();
        }
        if (Files.exists(remembered)) {
            int port = Integer.parseInt(Files.readString(remembered).strip());
            if (isFree(port)) {
                return port;
            }
        }
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Files.writeString(remembered, socket.getLocalPort() + "\n");
            return socket.getLocalPort();
        }
    }

    private static boolean isFree(int port) {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (IOException taken) {
            return false;
        }
    }

    private void awaitAnswer(Process process, Duration limit, Path log) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (true) {
            try (Connection connection = DriverManager.getConnection(url(port, "postgres"), USER, password)) {
                createDatabase(connection);
                return;
            } catch (SQLException notYet) {
                if (!process.isAlive()) {
                    throw new IOException("PostgreSQL ended at once, see " + log, notYet);
                }
                if (System.nanoTime() > deadline) {
                    throw new IOException("PostgreSQL did not answer within " + limit + ", see " + log, notYet);
                }
                Thread.sleep(50);
            }
        }
    }

    private static void createDatabase(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            try (ResultSet found =
                    statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + DATABASE + "'")) {
                if (found.next()) {
                    return;
                }
            }
            statement.execute("CREATE DATABASE " + DATABASE);
        }
    }

    private static String url(int port, String database) {
        return "jdbc:postgresql://127.0.0.1:" + port + "/" + database;
    }

    @Override
    public void close() {
        try {
            postmaster.stop(STOP_LIMIT);
        } catch (IOException e) {
            LOG.warn("the embedded database was not stopped: {}", e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
