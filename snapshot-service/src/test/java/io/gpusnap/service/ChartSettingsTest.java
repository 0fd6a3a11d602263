package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/** The settings that the chart writes are ones that the service has: its start comes as far as the database. */
@ExtendWith(OutputCaptureExtension.class)
class ChartSettingsTest {
    private static final Path GOLDEN =
            Path.of(System.getProperty("gpusnap.root", ".."), "deploy", "src", "test", "resources", "golden");

    @TempDir
    private Path folder;

    private static String written(String set) throws IOException {
        Iterable<Object> documents = new Yaml(new SafeConstructor(new LoaderOptions()))
                .loadAll(Files.readString(GOLDEN.resolve(set + ".yaml")));
        return StreamSupport.stream(documents.spliterator(), false)
                .filter(Map.class::isInstance)
                .<Map<?, ?>>map(document -> (Map<?, ?>) document)
                .filter(document -> "ConfigMap".equals(document.get("kind")))
                .map(document -> ((Map<?, ?>) document.get("data")).get("application.yaml"))
                .filter(String.class::isInstance)
                .map(String.class::cast)
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @ValueSource(strings = {"default", "production", "kind"})
    void theServiceHasThemAll(String set, CapturedOutput output) throws IOException {
        // given the files that are mounted in the cluster, under a folder of ours
        Path tls = Files.createDirectories(folder.resolve("etc/gpusnap/scaler-tls"));
        for (String file : new String[] {"tls.crt", "tls.key", "ca.crt"}) {
            Files.writeString(tls.resolve(file), "-");
        }
        Path config = Files.createDirectories(folder.resolve("config"));
        Files.createDirectories(folder.resolve("run/gpusnap"));
        Files.createDirectories(folder.resolve("var/lib"));
        Files.writeString(
                config.resolve("application.yaml"),
                written(set).replaceAll("(: )(/(etc|run|var)/)", "$1" + folder + "$2"));

        // when it starts with a database that is not there
        assertThatThrownBy(() -> SpringApplication.run(
                                ServiceApplication.class,
                                "--spring.config.additional-location=file:" + config + "/",
                                // its certificate is the cluster's
                                "--server.ssl.enabled=false",
                                "--server.port=0",
                                "--spring.datasource.url=jdbc:postgresql://127.0.0.1:1/none")
                        .close())
                .isNotNull();

        // then nothing else is wrong
        String printed = output.getAll();
        assertThat(printed.substring(printed.indexOf("APPLICATION FAILED TO START")))
                .contains("spring.datasource.url: the database cannot be reached");
    }
}
