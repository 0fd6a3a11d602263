package io.gpusnap.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The compose file, as the tool itself understands it. */
class ComposeTest {
    private static final Path FOLDER = Repository.path("deploy", "compose");

    @TempDir
    private Path home;

    private Map<String, Object> services(String overlay) throws IOException, InterruptedException {
        String compose = System.getenv().getOrDefault("GPUSNAP_COMPOSE", "");
        assumeTrue(
                !compose.isEmpty() && Files.isExecutable(Path.of(compose)),
                "no docker-compose: install it, then run scripts/bootstrap.sh --refresh");
        Process process = new ProcessBuilder(
                        compose,
                        "-f",
                        FOLDER.resolve("compose.yaml").toString(),
                        "-f",
                        FOLDER.resolve("compose." + overlay + ".yaml").toString(),
                        "config")
                .directory(home.toFile())
                .redirectError(home.resolve("said").toFile())
                .start();
        String config = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String said = Files.readString(home.resolve("said"));
        assertThat(process.waitFor()).as(said).isZero();
        assertThat(said).doesNotContainIgnoringCase("unsupported").doesNotContainIgnoringCase("warn");
        return Yamls.asMap(Yamls.map(config).get("services"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"gpu", "simulated"})
    void theToolTakesItAndEveryImageHasAVersion(String overlay) throws IOException, InterruptedException {
        Map<String, Object> services = services(overlay);

        assertThat(services).containsOnlyKeys("postgres", "prepare", "service", "daemon");
        assertThat(services)
                .allSatisfy((name, service) -> assertThat(String.valueOf(Yamls.at(service, "image")))
                        .as(name)
                        .matches(".+:[0-9].*"));
    }

    @Test
    void everyPartThatStaysSaysWhetherItIsWell() throws IOException, InterruptedException {
        services("gpu").forEach((name, service) -> {
            if (!name.equals("prepare")) {
                assertThat(Yamls.asMap(service)).as(name).containsKeys("healthcheck", "restart");
            }
        });
    }

    @Test
    void onlyTheDaemonIsPrivileged() throws IOException, InterruptedException {
        Map<String, Object> services = services("gpu");

        List<String> privileged = new ArrayList<>();
        services.forEach((name, service) -> {
            if (Boolean.TRUE.equals(Yamls.asMap(service).get("privileged"))) {
                privileged.add(name);
            }
        });
        assertThat(privileged).containsExactly("daemon");
        assertThat(Yamls.asMap(services.get("service")))
                .containsEntry("read_only", true)
                .containsEntry("cap_drop", List.of("ALL"));
        assertThat(String.valueOf(Yamls.at(services, "service", "ports"))).contains("127.0.0.1");
    }

    @Test
    void secretsAreFilesAndNoVariables() throws IOException, InterruptedException {
        Map<String, Object> services = services("gpu");

        services.forEach((name, service) -> {
            Object environment = Yamls.asMap(service).getOrDefault("environment", Map.of());
            Yamls.asMap(environment).forEach((variable, value) -> {
                if (variable.matches(".*(PASSWORD|TOKEN|SECRET).*")) {
                    assertThat(String.valueOf(value)).as(variable).startsWith("/run/secrets/");
                }
            });
        });
        assertThat(Repository.read(FOLDER.resolve(".gitignore"))).contains("/secrets/");
    }
}
