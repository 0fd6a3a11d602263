package io.gpusnap.node.metrics;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MetricsTest {

    record Request(String engine) {}

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);

    @Test
    void anOperationLeavesItsTimesBytesAndOutcome(@TempDir Path folder) {
        Journal journal = Journal.open(folder, FactRegistry.of(Request.class));
        OperationMetrics metrics = new OperationMetrics(registry, spec -> ((Request) spec.request()).engine());
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
        new OperationRunner(journal, metrics)
                .begin(
                        new OperationSpec(OperationId.random(), OperationKind.SAVE, new Request("suspend")),
                        new StagePlan(OperationKind.SAVE, List.of(store)))
                .run();

        assertThat(registry.scrape())
                .contains(
                        "gpusnap_node_stage_seconds_count{engine=\"suspend\",outcome=\"succeeded\",stage=\"store\"} 1")
                .contains(
                        "gpusnap_node_stage_seconds_bucket{engine=\"suspend\",outcome=\"succeeded\",stage=\"store\",le=")
                .contains("gpusnap_node_bytes_total{direction=\"write\",tier=\"nvme\"} 4096.0")
                .contains("gpusnap_node_operations_total{kind=\"save\",outcome=\"succeeded\"} 1.0");
    }

    @Test
    void gaugesShowTheMomentOfTheScrape() {
        NodeGauges.Reading reading = new NodeGauges.Reading(
                List.of(new NodeGauges.Labelled("nvme", 100)),
                List.of(new NodeGauges.Labelled("nvme", 60)),
                List.of(new NodeGauges.Labelled("nvme", 40)),
                List.of(new NodeGauges.Labelled("s3", 0)),
                List.of(new NodeGauges.Labelled("s3", 2)),
                List.of(new NodeGauges.Labelled("0", 7)),
                List.of(new NodeGauges.Labelled("save", 5)),
                List.of(new NodeGauges.Labelled("save", 50)),
                3,
                1,
                true,
                -3600);
        NodeGauges gauges = new NodeGauges(registry, () -> reading);

        gauges.refresh();

        assertThat(registry.scrape())
                .contains("gpusnap_node_tier_free_bytes{tier=\"nvme\"} 60.0")
                .contains("gpusnap_node_tier_healthy{tier=\"s3\"} 0.0")
                .contains("gpusnap_node_tier_quarantined_chunks{tier=\"s3\"} 2.0")
                .contains("gpusnap_node_gpu_free_bytes{gpu=\"0\"} 7.0")
                .contains("gpusnap_node_operation_progress_bytes{kind=\"save\"} 5.0")
                .contains("gpusnap_node_operation_size_bytes{kind=\"save\"} 50.0")
                .contains("gpusnap_node_snapshots 3.0")
                .contains("gpusnap_node_clock_difference_seconds -3600.0")
                .contains("gpusnap_node_service_connected 1.0");
    }

    @Test
    void chunksAreCountedByWhereTheyWereAndPeersByWhatWentWrong() {
        ChunkMeters meters = new ChunkMeters(
                registry,
                () -> new ChunkMeters.Reading(
                        Map.of("s3", 40L, "peer", 7L),
                        Map.of("timeout", 2L),
                        99,
                        3,
                        new ChunkMeters.Orphans(5, 640, 4, 1),
                        new ChunkMeters.Quarantine(1280, 320, 2)));

        meters.refresh();
        meters.refresh();

        assertThat(registry.scrape())
                .contains("gpusnap_node_chunk_read_bytes_total{tier=\"s3\"} 40.0")
                .contains("gpusnap_node_chunk_read_bytes_total{tier=\"peer\"} 7.0")
                .contains("gpusnap_node_peer_failures_total{reason=\"timeout\"} 2.0")
                .contains("gpusnap_node_peer_served_bytes_total 99.0")
                .contains("gpusnap_node_peer_refused_requests_total 3.0")
                .contains("gpusnap_node_orphan_chunks 5.0")
                .contains("gpusnap_node_orphan_freed_bytes_total 640.0")
                .contains("gpusnap_node_quarantine_bytes 1280.0")
                .contains("gpusnap_node_quarantine_freed_bytes_total 320.0")
                .contains("gpusnap_node_quarantine_failed_looks_total 2.0")
                .contains("gpusnap_node_orphan_looks_total{outcome=\"succeeded\"} 4.0")
                .contains("gpusnap_node_orphan_looks_total{outcome=\"failed\"} 1.0");
    }

    @Test
    void theServerAnswersItsPagesAndNothingElse() throws Exception {
        AtomicBoolean ready = new AtomicBoolean();
        Map<String, Supplier<MetricsServer.Page>> pages = Map.of(
                "/metrics",
                () -> MetricsServer.Page.prometheus("gpusnap 1\n"),
                "/readyz",
                () -> MetricsServer.Page.text(ready.get() ? 200 : 503, ""),
                "/broken",
                () -> {
                    throw new IllegalStateException("broken");
                });
        try (MetricsServer server = MetricsServer.start(new InetSocketAddress("127.0.0.1", 0), pages);
                HttpClient client = HttpClient.newHttpClient()) {
            assertThat(get(client, server, "/readyz").statusCode()).isEqualTo(503);
            ready.set(true);
            assertThat(get(client, server, "/readyz").statusCode()).isEqualTo(200);
            HttpResponse<String> metrics = get(client, server, "/metrics");
            assertThat(metrics.body()).isEqualTo("gpusnap 1\n");
            assertThat(metrics.headers().firstValue("Content-Type"))
                    .get()
                    .asString()
                    .contains("version=0.0.4");
            assertThat(get(client, server, "/etc/passwd").statusCode()).isEqualTo(404);
            assertThat(get(client, server, "/metrics/more").statusCode()).isEqualTo(404);
            assertThat(get(client, server, "/broken").statusCode()).isEqualTo(500);
            HttpRequest post = HttpRequest.newBuilder(uri(server, "/metrics"))
                    .POST(HttpRequest.BodyPublishers.ofString("x"))
                    .build();
            assertThat(client.send(post, HttpResponse.BodyHandlers.ofString()).statusCode())
                    .isEqualTo(405);
        }
    }

    private static HttpResponse<String> get(HttpClient client, MetricsServer server, String path) throws Exception {
        return client.send(HttpRequest.newBuilder(uri(server, path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static URI uri(MetricsServer server, String path) {
        return URI.create("http://127.0.0.1:" + server.port() + path);
    }
}
