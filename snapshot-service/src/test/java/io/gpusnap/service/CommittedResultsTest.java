package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is promised of forecast, scheduler, decisions and fan-out holds of the measurements that are kept: one that misses a mark is not committed unseen. */
class CommittedResultsTest {
    private static final Path RESULTS = Path.of(System.getProperty("gpusnap.root", ".."), "bench/results");
    private static final JsonMapper JSON = new JsonMapper();

    private static JsonNode read(String file) throws IOException {
        return JSON.readTree(Files.readString(RESULTS.resolve(file)));
    }

    private static JsonNode of(JsonNode list, String key, String value) {
        return list.valueStream()
                .filter(one -> one.path(key).asString().equals(value))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + key + " " + value));
    }

    @Test
    void prefetchHasNineOfTenScaleUpsHotForLessThanAThirdOfBytesAndBeatsLru() throws IOException {
        List<JsonNode> runs = read("forecast/backtest.json")
                .path("runs")
                .valueStream()
                .filter(run -> !run.path("trace").asString().equals("flat"))
                .toList();

        assertThat(runs).extracting(run -> run.path("trace").asString()).contains("diurnal", "bursty");
        assertThat(runs).allSatisfy(run -> {
            JsonNode ours = of(run.path("scores"), "policy", "prefetch, seasonal");
            JsonNode lru = of(run.path("scores"), "policy", "LRU");
            assertThat(ours.path("hotRatio").asDouble())
                    .isGreaterThanOrEqualTo(0.9)
                    .isGreaterThan(lru.path("hotRatio").asDouble());
            assertThat(ours.path("prefetchedBytes").asLong()).isPositive();
            assertThat(ours.path("prefetchWasteRatio").asDouble()).isLessThanOrEqualTo(0.3);
        });
    }

    @Test
    void noModelOfAThousandGpusStarvesAndEveryDecisionIsExplained() throws IOException {
        JsonNode simulation = read("schedule/simulation.json");
        JsonNode ours = of(simulation.path("results"), "scheduler", "gpusnap");
        JsonNode greedy = of(simulation.path("results"), "scheduler", "greedy");

        assertThat(simulation.path("gpus").asInt()).isEqualTo(1000);
        assertThat(simulation.path("models").asInt()).isEqualTo(200);
        assertThat(ours.path("unexplained").asInt(-1)).isZero();
        assertThat(ours.path("seconds").asDouble()).isBetween(0.001, 120.0);
        assertThat(ours.path("longestWithoutReplicaSeconds").asDouble())
                .isLessThan(simulation.path("agingSeconds").asDouble())
                .isLessThan(greedy.path("longestWithoutReplicaSeconds").asDouble());
    }

    @Test
    void decisionsAmongAMillionSnapshotsCostAtMostTwiceThoseAmongAFew() throws IOException {
        JsonNode bench = read("control-plane/control-plane.json");
        JsonNode small = bench.path("small");
        JsonNode large = bench.path("large");

        assertThat(List.of(small.path("snapshots").asInt(), small.path("nodes").asInt()))
                .containsExactly(10_000, 100);
        assertThat(List.of(large.path("snapshots").asInt(), large.path("nodes").asInt()))
                .containsExactly(1_000_000, 10_000);
        assertThat(bench.at("/machine/cores").asInt()).isEqualTo(2);
        assertThat(bench.at("/machine/revision").asString()).isNotIn("", "unknown");
        double p99 = small.at("/latencies/p99Millis").asDouble();
        assertThat(p99).isPositive();
        assertThat(large.at("/latencies/p99Millis").asDouble()).isLessThanOrEqualTo(2 * p99);
        assertThat(bench.at("/claims/sameInstance/medianMillis").asDouble()).isBetween(0.001, 25.0);
        assertThat(bench.at("/claims/otherInstance/medianMillis").asDouble()).isBetween(0.001, 25.0);
        for (String rate : List.of("heartbeats", "claims", "dbSchedulerExecutions")) {
            assertThat(bench.at("/rates/" + rate + "PerSecond").asDouble()).isPositive();
        }
        assertThat(Files.readString(RESULTS.resolve("control-plane/plans-1000000.txt")))
                .contains("snapshot_location", "node_tier")
                .doesNotContain("Seq Scan on snapshot_location", "Seq Scan on node_tier", "Seq Scan on snapshot ");
    }

    @Test
    void eightDaemonsThatThawOneSnapshotAtOnceReadTheBucketAboutOnceBetweenThem() throws IOException {
        List<JsonNode> runs =
                read("fan-out/2-cores.json").path("runs").valueStream().toList();

        assertThat(runs).extracting(run -> run.path("fanOut").asBoolean()).containsExactly(false, true);
        assertThat(runs).allSatisfy(run -> {
            assertThat(run.path("nodes").asInt()).isEqualTo(8);
            assertThat(run.path("snapshotBytes").asLong()).isGreaterThanOrEqualTo(64L << 20);
            assertThat(run.path("answersEqual").asBoolean()).isTrue();
        });
        assertThat(runs.getFirst().path("s3EgressSnapshots").asDouble()).isGreaterThanOrEqualTo(8.0);
        assertThat(runs.getLast().path("s3EgressSnapshots").asDouble()).isBetween(0.99, 1.3);
    }
}
