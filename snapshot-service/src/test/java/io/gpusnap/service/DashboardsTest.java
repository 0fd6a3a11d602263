package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.PrometheusServer;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.beans.factory.annotation.Autowired;
import tools.jackson.databind.JsonNode;

/** Every query of the dashboards, and the alert rules of the service, on a real Prometheus that scrapes a running service. */
@ServiceTest
class DashboardsTest {
    private static final Path ROOT = Path.of(System.getProperty("gpusnap.root", ".."));
    private static final Pattern METRIC = Pattern.compile("\\b(?:gpusnap|http)_[a-z_]+");

    /** The daemon's tests have that one. */
    private static final String OF_THE_DAEMONS = "gpusnap-nodes.json";

    private static final Path ALERTS = ROOT.resolve("deploy/dashboards/gpusnap-alerts.yaml");

    @Autowired
    private Api api;

    private record Query(String where, String expression) {
        Set<String> metrics() {
            return METRIC.matcher(expression).results().map(MatchResult::group).collect(Collectors.toSet());
        }
    }

    private static List<Query> queries() throws IOException {
        List<Query> queries = new ArrayList<>();
        try (Stream<Path> files = Files.list(ROOT.resolve("deploy/dashboards"))) {
            for (Path file : files.filter(one -> one.toString().endsWith(".json") && !one.endsWith(OF_THE_DAEMONS))
                    .sorted()
                    .toList()) {
                JsonNode board = Api.JSON.readTree(Files.readString(file));
                for (JsonNode panel : board.path("panels")) {
                    for (JsonNode target : panel.path("targets")) {
                        queries.add(new Query(
                                file.getFileName() + ": " + panel.path("title").asString(),
                                target.path("expr").asString()));
                    }
                }
            }
        }
        return queries;
    }

    /** A save and a thaw, each with a timed stage. */
    private void somethingHappens() {
        Catalogue catalogue = Catalogue.create(api);
        SimulatedNode node = SimulatedNode.register(api);
        catalogue.save(node.runs(SimulatedNode.process(1, "w")), "criu+cuda").expect(202);
        JsonNode save = node.claim();
        node.complete(
                        save,
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "stages",
                                stages("drain"),
                                "save",
                                TestManifest.of(save).saveResult()))
                .expect(204);
        catalogue.restore(save.at("/save/snapshotId").asString()).expect(202);
        JsonNode thaw = node.claim();
        node.complete(
                        thaw,
                        Map.of(
                                "outcome",
                                "SUCCEEDED",
                                "stages",
                                stages("fill"),
                                "thaw",
                                Map.of(
                                        "pid",
                                        1,
                                        "startTimeTicks",
                                        77_001L,
                                        "workloadName",
                                        "w",
                                        "seconds",
                                        3.25,
                                        "stageSeconds",
                                        Map.of("fill", 0.5),
                                        "fillBytesPerSecond",
                                        5.0e10)))
                .expect(204);
    }

    private static List<Map<String, Object>> stages(String name) {
        return List.of(Map.of(
                "name", name,
                "state", "SUCCEEDED",
                "attempt", 1,
                "startedAt", "2026-01-01T00:00:00Z",
                "finishedAt", "2026-01-01T00:00:02Z"));
    }

    @Test
    void everyQueryIsValidKnowsItsMetricsAndHasAResult(@TempDir Path folder) throws Exception {
        List<Query> queries = queries();
        assertThat(queries).hasSizeGreaterThan(20);
        // A rate begins with the second sample: things happen before and while it scrapes.
        somethingHappens();
        try (PrometheusServer prometheus = PrometheusServer.scraping(api, ALERTS, folder)) {
            await().atMost(Duration.ofSeconds(60))
                    .ignoreExceptions()
                    .until(() -> prometheus.names().contains("gpusnap_operations_total"));
            somethingHappens();

            for (Query query : queries) {
                assertThat(query.metrics()).as(query.where()).isNotEmpty();
                // It has to have scraped twice since.
                await(query.where() + ": " + query.expression())
                        .atMost(Duration.ofSeconds(60))
                        .untilAsserted(() -> {
                            assertThat(prometheus.names())
                                    .as("metrics that there are")
                                    .containsAll(query.metrics());
                            JsonNode answer = prometheus.query(query.expression());
                            assertThat(answer.path("status").asString())
                                    .as(answer.path("error").asString(""))
                                    .isEqualTo("success");
                            assertThat(answer.at("/data/result")).isNotEmpty();
                        });
            }

            // An alert has no result as long as nothing is wrong.
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(prometheus.rules("gpusnap-service"))
                            .isNotEmpty()
                            .allSatisfy(rule -> {
                                assertThat(rule.path("health").asString())
                                        .as(rule.toString())
                                        .isEqualTo("ok");
                                assertThat(prometheus.names())
                                        .containsAll(
                                                new Query("", rule.path("query").asString()).metrics());
                            }));
        }
    }
}
