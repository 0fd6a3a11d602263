package io.gpusnap.service.platform.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gpusnap.service.ServiceApplication;
import io.gpusnap.service.platform.config.BadConfigurationException;
import io.gpusnap.service.platform.config.DataDirectory;
import io.gpusnap.service.platform.config.SecretFiles;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.SpringApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.mock.env.MockEnvironment;

class ExternalDatabaseTest {
    @TempDir
    private Path databaseFolder;

    @TempDir
    private Path serviceFolder;

    @Test
    void theUsualSettingsNameAnotherDatabaseAndNoneIsEmbedded() throws Exception {
        // given a PostgreSQL that somebody else runs
        DataDirectory directory = DataDirectory.open(databaseFolder);
        try (EmbeddedPostgres other =
                        EmbeddedPostgres.start(directory, new PostgresSettings(null, 0, Duration.ofSeconds(60)));
                // when the service is told of it
                ConfigurableApplicationContext service = SpringApplication.run(
                        ServiceApplication.class,
                        "--gpusnap.data-dir=" + serviceFolder,
                        "--server.port=0",
                        "--spring.datasource.url=" + other.jdbcUrl(),
                        "--spring.datasource.username=" + EmbeddedPostgres.USER,
                        "--spring.datasource.password=" + other.password())) {

            // then it works on that one
            Api api = new Api(
                    "http://127.0.0.1:" + service.getEnvironment().getRequiredProperty("local.server.port"),
                    SecretFiles.read(serviceFolder.resolve("access-token")));
            assertThat(Catalogue.create(api).version()).isEqualTo("v1");
            assertThat(Files.exists(serviceFolder.resolve("postgres"))).isFalse();
            assertThat(service.getBeansOfType(EmbeddedPostgres.class)).isEmpty();
        } finally {
            directory.destroy();
        }
    }

    @Test
    void aWrongPasswordStopsTheStartAndNamesTheSettings() throws Exception {
        DataDirectory directory = DataDirectory.open(databaseFolder);
        try (EmbeddedPostgres other =
                EmbeddedPostgres.start(directory, new PostgresSettings(null, 0, Duration.ofSeconds(60)))) {
            MockEnvironment environment = new MockEnvironment()
                    .withProperty("spring.datasource.url", other.jdbcUrl())
                    .withProperty("spring.datasource.username", EmbeddedPostgres.USER);

            for (String password : new String[] {"", "wrong"}) {
                environment.setProperty("spring.datasource.password", password);

                assertThatThrownBy(() -> new OtherDatabaseCheck(environment).check())
                        .isInstanceOf(BadConfigurationException.class)
                        .hasMessageContaining("spring.datasource.password")
                        .extracting("property")
                        .isEqualTo("spring.datasource.username");
            }
        } finally {
            directory.destroy();
        }
    }
}
