package io.gpusnap.node.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.Stage;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StagePlan;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** Every query of the daemons' dashboard, and the alert rules, on a real Prometheus that scrapes the meters of a daemon. */
class NodeDashboardTest {

    private static final Path ROOT = Path.of(System.getProperty("gpusnap.root", ".."));
    private static final String PROMETHEUS = System.getenv().getOrDefault("GPUSNAP_PROMETHEUS", "prometheus");
    private static final Pattern METRIC = Pattern.compile("\\bgpusnap_[a-z_]+");
    private static final String CLOCK = "GpusnapNodeClockDiffers";
    private static final String LOOKS = "GpusnapOrphanLooksFail";
    private static final ObjectMapper JSON = new ObjectMapper();

    record Request(String engine) {}

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final AtomicLong bytes = new AtomicLong(1);
    private final AtomicLong clockDifferenceSeconds = new AtomicLong(2);
    private final AtomicLong looks = new AtomicLong(1);
    private final AtomicLong failedLooks = new AtomicLong();

    private static List<String> queries() throws IOException {
        List<String> queries = new ArrayList<>();
        JsonNode board = JSON.readTree(Files.readString(ROOT.resolve("deploy/dashboards/gpusnap-nodes.json")));
        for (JsonNode panel : board.path("panels")) {
            panel.path("targets")
                    .forEach(target -> queries.add(target.path("expr").asString()));
        }
        return queries;
    }

    private void operation(Path journal) {
        Stage store = new Stage() {
            @Override
            public String name() {
                return "store";
            }

            @Override
            public void run(StageContext context) {
                context.progress().addBytes(4096);
            }
        };
        new OperationRunner(
                        Journal.open(journal, FactRegistry.of(Request.class)),
                        new OperationMetrics(registry, spec -> ((Request) spec.request()).engine()))
                .begin(
                        new OperationSpec(OperationId.random(), OperationKind.SAVE, new Request("suspend")),
                        new StagePlan(OperationKind.SAVE, List.of(store)))
                .run();
    }

    private String scrape(NodeGauges gauges, ChunkMeters chunks) {
        bytes.addAndGet(1000);
        gauges.refresh();
        chunks.refresh();
        return registry.scrape();
    }

    private NodeGauges.Reading reading() {
        List<NodeGauges.Labelled> tier = List.of(new NodeGauges.Labelled("nvme", 100));
        List<NodeGauges.Labelled> one = List.of(new NodeGauges.Labelled("save", 5));
        return new NodeGauges.Reading(
                tier,
                tier,
                tier,
                tier,
                tier,
                List.of(new NodeGauges.Labelled("0", 7)),
                one,
                one,
                3,
                1,
                true,
                clockDifferenceSeconds.get());
    }

    private ChunkMeters.Reading chunks() {
        return new ChunkMeters.Reading(
                Map.of("s3", bytes.get(), "peer", bytes.get()),
                Map.of("timeout", bytes.get()),
                bytes.get(),
                bytes.get(),
                new ChunkMeters.Orphans(1, bytes.get(), looks.get(), failedLooks.get()),
                new ChunkMeters.Quarantine(1, bytes.get(), 0));
    }

    private MetricsServer metrics() throws IOException {
        NodeGauges gauges = new NodeGauges(registry, this::reading);
        ChunkMeters chunks = new ChunkMeters(registry, this::chunks);
        return MetricsServer.start(
                new InetSocketAddress("127.0.0.1", 0),
                Map.of("/metrics", () -> MetricsServer.Page.prometheus(scrape(gauges, chunks))));
    }

    /** It has been looked at, without an error, and is quiet. */
    private static void awaitQuiet(Prometheus prometheus, String alert) throws Exception {
        await().untilAsserted(() ->
                assertThat(prometheus.alert(alert).path("health").asString()).isEqualTo("ok"));
        assertThat(prometheus.alert(alert).path("state").asString()).isEqualTo("inactive");
    }

    private static void awaitState(Prometheus prometheus, String alert, String state) {
        await().untilAsserted(() ->
                assertThat(prometheus.alert(alert).path("state").asString()).isEqualTo(state));
    }

    @Test
    void everyQueryIsValidKnowsItsMetricsAndHasAResult(@TempDir Path folder) throws Exception {
        List<String> queries = queries();
        assertThat(queries).hasSizeGreaterThan(10);
        operation(folder.resolve("first"));
        try (MetricsServer server = metrics();
                Prometheus prometheus = Prometheus.scraping(server.port(), folder)) {
            await().ignoreExceptions().until(() -> prometheus.names().contains("gpusnap_node_operations_total"));
            operation(folder.resolve("second"));
            for (String query : queries) {
                Set<String> metrics =
                        METRIC.matcher(query).results().map(MatchResult::group).collect(Collectors.toSet());
                assertThat(metrics).as(query).isNotEmpty();
                assertThat(prometheus.names()).as(query).containsAll(metrics);
                // A rate begins with the second sample.
                await(query).untilAsserted(() -> {
                    JsonNode answer = prometheus.query(query);
                    assertThat(answer.path("status").asString())
                            .as(answer.toString())
                            .isEqualTo("success");
                    assertThat(answer.at("/data/result")).isNotEmpty();
                });
            }
        }
    }

    @Test
    void aClockThatIsOffRaisesAnAlertWhicheverWayItIs(@TempDir Path folder) throws Exception {
        try (MetricsServer server = metrics();
                Prometheus prometheus = Prometheus.scraping(server.port(), folder)) {
            // given a clock that is two seconds off
            await().ignoreExceptions()
                    .until(() -> prometheus.names().contains("gpusnap_node_clock_difference_seconds"));
            awaitQuiet(prometheus, CLOCK);

            // when it is an hour off, then there is an alert; and none once it is right again
            for (long off : List.of(3600L, -3600L)) {
                clockDifferenceSeconds.set(off);
                awaitState(prometheus, CLOCK, "pending");
                clockDifferenceSeconds.set(0);
                awaitState(prometheus, CLOCK, "inactive");
            }
        }
    }

    @Test
    void looksForOrphansThatOnlyFailRaiseAnAlertUntilOneSucceeds(@TempDir Path folder) throws Exception {
        try (MetricsServer server = metrics();
                Prometheus prometheus = Prometheus.scraping(server.port(), folder)) {
            // given a node whose looks have gone well, long ago
            await().ignoreExceptions().until(() -> prometheus.names().contains("gpusnap_node_orphan_looks_total"));
            awaitQuiet(prometheus, LOOKS);

            // when they fail, then there is an alert; and none once one went well again
            failedLooks.incrementAndGet();
            awaitState(prometheus, LOOKS, "pending");
            looks.incrementAndGet();
            awaitState(prometheus, LOOKS, "inactive");
        }
    }

    /** Scrapes every second. */
    private record Prometheus(Process process, URI base, HttpClient http) implements AutoCloseable {

        static Prometheus scraping(int metricsPort, Path folder) throws IOException {
            int port;
            try (ServerSocket socket = new ServerSocket(0)) {
                port = socket.getLocalPort();
            }
            Path configuration = Files.writeString(folder.resolve("prometheus.yml"), """
                    global:
                      scrape_interval: 1s
                      evaluation_interval: 1s
                    rule_files: ["%s"]
                    scrape_configs:
                      - job_name: gpusnap
                        static_configs:
                          - targets: ["127.0.0.1:%d"]
                    """.formatted(
                    ROOT.resolve("deploy/dashboards/gpusnap-alerts.yaml").toAbsolutePath(), metricsPort));
            Process process = new ProcessBuilder(
                            PROMETHEUS,
                            "--config.file=" + configuration,
                            "--storage.tsdb.path=" + folder.resolve("data"),
                            "--web.listen-address=127.0.0.1:" + port)
                    .redirectErrorStream(true)
                    .redirectOutput(folder.resolve("log").toFile())
                    .start();
            return new Prometheus(process, URI.create("http://127.0.0.1:" + port), HttpClient.newHttpClient());
        }

        JsonNode query(String expression) throws IOException, InterruptedException {
            return get("/api/v1/query?query=" + URLEncoder.encode(expression, StandardCharsets.UTF_8));
        }

        JsonNode alert(String name) throws IOException, InterruptedException {
            return get("/api/v1/rules")
                    .at("/data/groups")
                    .valueStream()
                    .flatMap(group -> group.path("rules").valueStream())
                    .filter(rule -> rule.path("name").asString().equals(name))
                    .findFirst()
                    .orElseThrow();
        }

        Set<String> names() throws IOException, InterruptedException {
            Set<String> names = new TreeSet<>();
            get("/api/v1/label/__name__/values").path("data").forEach(name -> names.add(name.asString()));
            return names;
        }

        private JsonNode get(String path) throws IOException, InterruptedException {
            HttpRequest request = HttpRequest.newBuilder(base.resolve(path)).build();
            return JSON.readTree(
                    http.send(request, HttpResponse.BodyHandlers.ofString()).body());
        }

        @Override
        public void close() throws InterruptedException {
            http.close();
            process.destroy();
            process.waitFor();
        }
    }
}
