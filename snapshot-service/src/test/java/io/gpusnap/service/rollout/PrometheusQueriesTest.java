package io.gpusnap.service.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.json.JsonMapper;

/** Against a real Prometheus, which scrapes itself. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PrometheusQueriesTest {
    private static final String PROGRAM = System.getenv().getOrDefault("GPUSNAP_PROMETHEUS", "prometheus");

    private Process server;
    private URI address;

    @BeforeAll
    void givenAPrometheus(@TempDir Path folder) throws IOException {
        int port = freePort();
        address = URI.create("http://127.0.0.1:" + port);
        Path configuration = folder.resolve("prometheus.yml");
        Files.writeString(configuration, """
                global:
                  scrape_interval: 1s
                scrape_configs:
                  - job_name: itself
                    static_configs:
                      - targets: ["127.0.0.1:%d"]
                """.formatted(port));
        server = new ProcessBuilder(List.of(
                        PROGRAM,
                        "--config.file=" + configuration,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("log").toFile())
                .start();
        await().atMost(Duration.ofSeconds(60))
                .until(() -> ask("up{job=\"itself\"}") instanceof PrometheusQueries.Value);
    }

    @AfterAll
    void stop() throws InterruptedException {
        server.destroy();
        server.waitFor();
    }

    private PrometheusQueries queries(URI at) {
        return new PrometheusQueries(
                new RolloutSettings(Duration.ofSeconds(1), Duration.ofSeconds(30), at, Duration.ofSeconds(5)),
                JsonMapper.builder().build());
    }

    private PrometheusQueries.Answer ask(String query) throws InterruptedException {
        return queries(address).ask(query);
    }

    private String nothing(String query) throws InterruptedException {
        return ask(query) instanceof PrometheusQueries.Nothing nothing ? nothing.why() : "a value";
    }

    @Test
    void oneSeriesOrOneNumberIsAValue() throws InterruptedException {
        assertThat(ask("up{job=\"itself\"}")).isEqualTo(new PrometheusQueries.Value(1));
        assertThat(ask("scalar(vector(0.25)) * 2")).isEqualTo(new PrometheusQueries.Value(0.5));
        assertThat(ask("vector(1) / 0")).isEqualTo(new PrometheusQueries.Value(Double.POSITIVE_INFINITY));
    }

    @Test
    void everythingElseIsNothingWithItsReason() throws InterruptedException {
        assertThat(nothing("no_such_series")).contains("0 series");
        assertThat(nothing("vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")"))
                .contains("2 series");
        assertThat(nothing("vector(0) / 0")).contains("NaN");
        assertThat(nothing("up{")).contains("400").contains("parse error");
        assertThat(nothing("up[1m]")).contains("matrix");
    }

    @Test
    void aServerThatIsNotThereIsNothing() throws InterruptedException, IOException {
        PrometheusQueries.Answer answer =
                queries(URI.create("http://127.0.0.1:" + freePort())).ask("up");

        assertThat(answer).isInstanceOf(PrometheusQueries.Nothing.class);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }
}
