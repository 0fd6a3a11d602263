package io.gpusnap.service.platform.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.DataDirectory;
import java.io.IOException;
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
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EmbeddedPostgresTest {
    private static final PostgresSettings SETTINGS = new PostgresSettings(null, 0, Duration.ofSeconds(60));

    @TempDir
    private Path folder;

    @TempDir
    private Path elsewhere;

    private DataDirectory directory;

    @BeforeEach
    void open() {
        directory = DataDirectory.open(folder);
    }

    @AfterEach
    void endWhatIsLeft() throws IOException, InterruptedException {
        var left = Postmaster.findOn(folder.resolve("postgres"));
        if (left.isPresent()) {
            left.get().stop(Duration.ofSeconds(20));
        }
        directory.destroy();
    }

    private static void execute(EmbeddedPostgres postgres, String sql) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(postgres.jdbcUrl(), EmbeddedPostgres.USER, postgres.password());
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private static String query(EmbeddedPostgres postgres, String sql) throws SQLException {
        try (Connection connection =
                        DriverManager.getConnection(postgres.jdbcUrl(), EmbeddedPostgres.USER, postgres.password());
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void itKeepsDataPortAndPasswordBetweenStartsAndIsDurable() throws Exception {
        String url;
        try (EmbeddedPostgres first = EmbeddedPostgres.start(directory, SETTINGS)) {
            execute(first, "CREATE TABLE kept AS SELECT 42 AS answer");
            url = first.jdbcUrl();
        }
        assertThat(Files.exists(folder.resolve("postgres/postmaster.pid"))).isFalse();

        try (EmbeddedPostgres second = EmbeddedPostgres.start(directory, SETTINGS)) {
            assertThat(second.jdbcUrl()).isEqualTo(url);
            assertThat(query(second, "SELECT answer FROM kept")).isEqualTo("42");
            assertThat(query(second, "SHOW fsync")).isEqualTo("on");
            assertThat(query(second, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
        }
    }

    @Test
    void itWantsThePassword() throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {
            assertThatThrownBy(() -> DriverManager.getConnection(postgres.jdbcUrl(), EmbeddedPostgres.USER, "wrong")
                            .close())
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
            assertThat(query(postgres, "SHOW password_encryption")).isEqualTo("scram-sha-256");
        }
    }

    @Test
    void aRememberedPortThatIsTakenIsReplaced() throws Exception {
        EmbeddedPostgres.start(directory, SETTINGS).close();
        int remembered = Integer.parseInt(
                Files.readString(folder.resolve("postgres-port")).strip());

        try (ServerSocket taken = new ServerSocket(remembered, 1, InetAddress.getLoopbackAddress());
                EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {
            assertThat(taken.isBound()).isTrue();
            assertThat(postgres.jdbcUrl()).doesNotContain(":" + remembered + "/");
        }
    }

    @Test
    void theServerThatAKilledServiceLeftIsEndedAndItsDataIsThere() throws Exception {
        // given a JVM that starts the database, writes, and is killed
        directory.destroy();
        Process service = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                        KilledService.class.getName(),
                        folder.toString()))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("killed.log").toFile())
                .start();
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            assertThat(service.isAlive())
                    .as(() -> read(folder.resolve("killed.log")))
                    .isTrue();
            return Files.exists(folder.resolve("written"));
        });
        service.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
        Postmaster orphan = Postmaster.findOn(folder.resolve("postgres")).orElseThrow();
        assertThat(orphan.process().isAlive()).isTrue();

        // when the service starts again
        directory = DataDirectory.open(folder);
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {

            // then the orphan is gone, and what it had committed is there
            assertThat(orphan.process().isAlive()).isFalse();
            assertThat(query(postgres, "SELECT answer FROM kept")).isEqualTo("43");
        }
    }

    @Test
    void aServerIsFoundHoweverItsFolderIsSpelled() throws Exception {
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {
            Path link = Files.createSymbolicLink(elsewhere.resolve("link"), folder);

            assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
            assertThat(Postmaster.findOn(link.resolve("postgres"))).isPresent();
            assertThat(Postmaster.findOn(folder.resolve("postgres"))).isPresent();
        }
    }

    @Test
    void aFolderHasOneNameHoweverItIsSpelled() throws Exception {
        Path real = Files.createDirectory(elsewhere.resolve("real")).toRealPath();
        Path link = Files.createSymbolicLink(elsewhere.resolve("link"), real);

        DataDirectory opened = DataDirectory.open(link);

        assertThat(opened.path()).isEqualTo(real);
        opened.destroy();
    }

    @Test
    void aPidFileOfAProcessThatIsSomethingElseByNowIsInTheWayOfNothing() throws Exception {
        EmbeddedPostgres.start(directory, SETTINGS).close();
        Files.writeString(
                folder.resolve("postgres/postmaster.pid"),
                ProcessHandle.current().pid() + "\n" + folder.resolve("postgres") + "\n");

        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {
            assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void anInitialisationThatWasCutOffIsDoneAgain() throws Exception {
        Files.createDirectories(folder.resolve("postgres.new/base"));

        try (EmbeddedPostgres postgres = EmbeddedPostgres.start(directory, SETTINGS)) {
            assertThat(query(postgres, "SELECT 1")).isEqualTo("1");
        }
    }

    @Test
    void dataOfAnotherReleaseStopsTheStartWithTheWayOut() throws Exception {
        Path data = Files.createDirectories(folder.resolve("postgres"));
        Files.writeString(data.resolve("PG_VERSION"), "14\n");

        assertThatThrownBy(() -> EmbeddedPostgres.start(directory, SETTINGS))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("PostgreSQL 14")
                .hasMessageContaining("spring.datasource.url");
    }

    @Test
    void aFolderThatIsInUseStopsTheSecondService() {
        assertThatThrownBy(() -> DataDirectory.open(folder))
                .isInstanceOf(BadConfigurationException.class)
                .hasMessageContaining("another snapshot-service is using");
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    /** The main class of the JVM that is killed. */
    static final class KilledService {
        private KilledService() {}

        public static void main(String[] arguments) throws Exception {
            Path folder = Path.of(arguments[0]);
            EmbeddedPostgres postgres = EmbeddedPostgres.start(DataDirectory.open(folder), SETTINGS);
            execute(postgres, "CREATE TABLE kept AS SELECT 43 AS answer");
            Files.createFile(folder.resolve("written"));
            Thread.sleep(Duration.ofMinutes(2));
        }
    }
}
