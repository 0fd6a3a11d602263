package io.gpusnap.service;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is promised holds of the measurements that are kept: one that misses a mark is not committed unseen. */
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

        assertThat(runs).extracting(run -> run.path("fanOut").asBoolean()).containsExactly(false, true, true);
        // the daemons' own, and one for daemons that share the cores of one machine
        assertThat(runs)
                .extracting(run -> run.path("peerTimeoutSeconds").asInt())
                .containsExactly(0, 10, 60);
        assertThat(runs).allSatisfy(run -> {
            assertThat(run.path("nodes").asInt()).isEqualTo(8);
            assertThat(run.path("snapshotBytes").asLong()).isGreaterThanOrEqualTo(64L << 20);
            assertThat(run.path("answersEqual").asBoolean()).isTrue();
        });
        assertThat(runs.getFirst().path("s3EgressSnapshots").asDouble()).isGreaterThanOrEqualTo(8.0);
        assertThat(runs.subList(1, 3))
                .allSatisfy(run ->
                        assertThat(run.path("s3EgressSnapshots").asDouble()).isBetween(0.99, 1.3));
    }

    @ParameterizedTest
    @CsvSource({"20-minutes, nvme s3", "20-minutes-full, nvme nfs s3"})
    void aSoakLeftNoReadySnapshotThatDoesNotComeBackAndNoBlobThatNobodyNeeds(String run, String tiers)
            throws IOException {
        JsonNode soak = read("soak/" + run + ".json");
        JsonNode audit = soak.path("audit");

        assertThat(soak.path("minutes").asDouble()).isGreaterThanOrEqualTo(20);
        assertThat(soak.path("good").asBoolean()).isTrue();
        assertThat(soak.path("violations")).isEmpty();
        assertThat(audit.path("unexplainedFailures").isArray()).isTrue();
        assertThat(audit.path("unexplainedFailures")).isEmpty();
        assertThat(soak.path("load")
                        .propertyStream()
                        .filter(what -> what.getKey().startsWith("killed "))
                        .mapToInt(what -> what.getValue().asInt())
                        .sum())
                .isGreaterThanOrEqualTo(20);
        assertThat(audit.path("readySnapshots").asInt()).isPositive();
        assertThat(audit.path("copiesRestored").asInt())
                .isGreaterThanOrEqualTo(audit.path("readySnapshots").asInt())
                .isEqualTo(audit.path("copiesScrubbed").asInt());
        // each from the tier that has the copy, and from nowhere else
        JsonNode read = audit.path("bytesByTierOfCopies");
        assertThat(read.propertyNames())
                .containsExactlyInAnyOrder(tiers.toUpperCase(Locale.ROOT).split(" "));
        for (String tier : tiers.split(" ")) {
            assertThat(read.path(tier.toUpperCase(Locale.ROOT)).propertyNames()).containsExactly(tier);
        }
        assertThat(soak.at("/hardware/cpuCores").asInt()).isPositive();
        assertThat(soak.at("/hardware/revision").asString())
                .isNotIn("", "unknown")
                .doesNotEndWith("-dirty");
        assertThat(soak.at("/versions/postgres").asString()).isNotEmpty();
    }

    @Test
    void anLlmThawsAndIsSavedTenTimesFasterThanThePlainWayAndOneThatGoesOnKeepsItsMemory() throws IOException {
        JsonNode run = read("gpu/cold-vs-thaw.json");
        double thaw = run.path("thawSeconds").asDouble();
        double pause = run.path("saveUntilWorkloadFreeSeconds").asDouble();
        assertThat(run.path("simulated").asBoolean(true)).isFalse();
        assertThat(run.path("answersEqual").asBoolean()).isTrue();
        assertThat(thaw).isPositive();
        assertThat(run.path("plainThawSeconds").asDouble()).isGreaterThanOrEqualTo(10 * thaw);
        assertThat(pause).isPositive();
        assertThat(run.path("plainSaveSeconds").asDouble()).isGreaterThanOrEqualTo(10 * pause);
        JsonNode second = run.path("secondSnapshot");
        assertThat(second.path("movedBothWays").asBoolean()).isTrue();
        assertThat(second.path("movedBytes").asDouble(1e18)
                        / second.at("/totals/vramBytes").asDouble())
                .isLessThanOrEqualTo(0.05);
    }

    @ParameterizedTest
    @CsvSource({"cold-vs-thaw, 3", "cold-vs-thaw-drive, 6"})
    void anLlmThawsFromADriveAsFastAsTheDrive(String result, int thaws) throws IOException {
        JsonNode run = read("gpu/" + result + ".json");
        assertThat(run.path("simulated").asBoolean(true)).isFalse();
        assertThat(run.path("answersEqual").asBoolean()).isTrue();
        assertThat(run.path("diskThaws").valueStream()).hasSize(thaws).allSatisfy(one -> {
            assertThat(one.path("answersEqual").asBoolean()).isTrue();
            assertThat(one.path("thawSeconds").asDouble()).isBetween(1.0, 1.15 * floorSeconds(run, one));
        });
    }

    /** At the best that the drive showed beside the thaw, or in it: from where reading begins until the last chunk was verified. */
    private static double floorSeconds(JsonNode run, JsonNode thaw) {
        double storedBytes = run.at("/totals/storedBytes").asDouble();
        double reading = Stream.of("preflight", "materialise", "criu-restore", "fill-host", "verify")
                .mapToDouble(stage -> thaw.path("stages").path(stage).asDouble())
                .sum();
        double alone = storedBytes / thaw.at("/floor/driveBytesPerSecond").asDouble();
        return Math.max(
                        Math.min(alone, reading),
                        thaw.at("/floor/rebuildSeconds").asDouble())
                + thaw.at("/floor/fillSeconds").asDouble();
    }

    @Test
    void theFirstSaveOfAnLlmThatGoesOnStopsItForATenthOfThePlainWays() throws IOException {
        JsonNode run = read("gpu/cold-vs-thaw.json");
        JsonNode first = run.path("firstRunning");
        assertThat(first.path("answersEqual").asBoolean()).isTrue();
        assertThat(first.path("movedBytes").asLong())
                .isEqualTo(run.path("saveMovedBytes").asLong());
        assertThat(run.path("plainSaveSeconds").asDouble())
                .isGreaterThanOrEqualTo(10 * first.path("pauseSeconds").asDouble(1e9));
    }

    @Test
    void deviceMemoryIsDrainedAndFilledAsFastAsPinnedMemoryIsCopiedHoweverMuchItIs() throws IOException {
        JsonNode run = read("gpu/data-path.json");
        assertThat(run.path("simulated").asBoolean(true)).isFalse();
        assertThat(run.path("sizes")
                        .valueStream()
                        .map(one -> one.path("gigabytes").asDouble()))
                .contains(20.0, 60.0)
                .hasSizeGreaterThanOrEqualTo(4);
        assertThat(run.path("sizes").valueStream()).allSatisfy(one -> {
            assertThat(one.path("answersEqual").asBoolean()).isTrue();
            assertThat(one.path("fillOfPinned").asDouble()).isBetween(0.95, 1.1);
            assertThat(one.path("drainOfPinned").asDouble()).isBetween(0.90, 1.1);
        });
        for (String way : List.of("fill", "drain")) {
            JsonNode line = run.path("linearity").path(way);
            assertThat(line.path("bytesPerSecond").asDouble()
                            / run.at("/pinnedCopy/hostToDevice").asDouble())
                    .as("the slope is the bus")
                    .isBetween(0.95, 1.05);
            assertThat(line.path("largestResidualSeconds").asDouble(1)).isLessThan(0.01);
        }
    }

    @Test
    void everyFrameworkComesBackAndThePreloadCostsAllocationsAtMostTwoPerCent() throws IOException {
        List<JsonNode> rows =
                read("gpu/frameworks.json").path("rows").valueStream().toList();
        assertThat(rows).hasSizeGreaterThanOrEqualTo(14).allSatisfy(row -> {
            assertThat(row.path("outcome").asString()).isEqualTo("PASSED");
            assertThat(row.path("answersEqual").asBoolean()).isTrue();
        });
        Map<String, Double> overhead = read("gpu/overhead.json")
                .at("/overhead/loads")
                .valueStream()
                .collect(Collectors.toMap(
                        one -> one.path("load").asString(),
                        one -> one.path("pairRatio").asDouble()));
        assertThat(overhead.get("allocations")).isBetween(0.9, 1.02);
        assertThat(overhead.get("decode-graph")).isBetween(0.9, 1.005);
        assertThat(overhead.get("decode")).isBetween(0.9, 1.02);
    }

    @Test
    void twentySwitchesAreRightWithinASecondAndTwoGpusHardlySlowEachOtherDown() throws IOException {
        List<JsonNode> switches =
                read("gpu/switch.json").path("switches").valueStream().toList();
        assertThat(switches).hasSizeGreaterThanOrEqualTo(20).allSatisfy(one -> {
            assertThat(one.path("answerRight").asBoolean()).isTrue();
            assertThat(one.path("toFirstAnswerSeconds").asDouble()).isBetween(0.001, 1.0);
        });

        JsonNode beside = read("gpu/two-gpus.json").path("summary");
        assertThat(beside.path("rounds").asInt()).isPositive();
        assertThat(beside.path("medianOverlap").asDouble()).isGreaterThanOrEqualTo(0.9);
        assertThat(beside.path("sides").valueStream().toList())
                .hasSize(2)
                .allSatisfy(side ->
                        assertThat(side.path("medianOfAlone").asDouble()).isGreaterThanOrEqualTo(0.9));
    }

    @Test
    void aStoreIsThreeTimesFasterThanItsPeersWhereTheDriveIsAndIsNotSlowerThanRcloneAtABucket() throws IOException {
        for (String machine : List.of("gpu-machine", "gpu-machine-slower-drive")) {
            isAsFastAsItsDriveAndThreeTimesItsPeers(read("store/" + machine + ".json"));
        }

        // Where the drive is no limit.
        JsonNode inMemory = read("store-memory/gpu-machine.json").path("summary");
        for (String peer : List.of("restic", "borg")) {
            for (String what : List.of("store", "save", "second", "restore")) {
                assertThat(inMemory.at("/times/" + peer + "/" + what).asDouble())
                        .as("in memory: %s %s", peer, what)
                        .isGreaterThanOrEqualTo(10.0);
            }
        }

        JsonNode server = read("s3/gpu-machine.json").at("/summary/servers/s3mock");
        for (String what : List.of("push", "pull")) {
            assertThat(server.at("/" + what + "/timesRclone").asDouble())
                    .as(what)
                    .isGreaterThanOrEqualTo(1.0);
        }
        JsonNode memory = read("s3/memory.json").path("moved");
        assertThat(memory.path("bytes").asLong()).isGreaterThanOrEqualTo(40L << 30);
        assertThat(memory.at("/quarters/lastOverSecond").asDouble()).isBetween(0.5, 1.03);
    }

    private static void isAsFastAsItsDriveAndThreeTimesItsPeers(JsonNode store) {
        assertThat(store.path("imageBytes").asLong()).isGreaterThanOrEqualTo(4L << 30);
        assertThat(store.at("/machine/tools").size()).isGreaterThanOrEqualTo(4);
        for (String peer : List.of("restic", "borg")) {
            for (String what : List.of("store", "saveAndProof")) {
                assertThat(store.at("/summary/times/" + peer + "/" + what).asDouble())
                        .as("%s %s", peer, what)
                        .isGreaterThanOrEqualTo(3.0);
            }
            double restore = store.at("/summary/times/" + peer + "/restore").asDouble();
            double ofDrive = restore / store.at("/summary/restoreOfFloor").asDouble();
            // a drive that reads less than three times as fast as the peer restores bounds every store
            assertThat(restore).as("%s restore", peer).isGreaterThanOrEqualTo(Math.min(3.0, 0.85 * ofDrive));
        }
        for (String what : List.of("storeOfFloor", "saveOfFloor", "restoreOfFloor")) {
            assertThat(store.at("/summary/" + what).asDouble()).as(what).isGreaterThanOrEqualTo(0.85);
        }
        assertThat(store.at("/summary/secondStoredRatio/gpusnap").asDouble()).isBetween(0.001, 0.04);
    }
}
