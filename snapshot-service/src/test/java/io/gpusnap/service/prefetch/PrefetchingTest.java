package io.gpusnap.service.prefetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.ForecastOutlook;
import io.gpusnap.service.forecast.SeasonalForecaster;
import io.gpusnap.service.forecast.Series;
import io.gpusnap.service.forecast.prefetch.Need;
import io.gpusnap.service.forecast.prefetch.Plan;
import io.gpusnap.service.forecast.prefetch.PrefetchPlanner;
import io.gpusnap.service.forecast.prefetch.PrefetchRules;
import io.gpusnap.service.forecast.prefetch.Site;
import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.operation.TransferPriority;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.snapshot.CompatibilityClasses;
import io.gpusnap.service.snapshot.Moves;
import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Catalogue;
import io.gpusnap.service.testing.FakeDaemon;
import io.gpusnap.service.testing.FakeSharedStore;
import io.gpusnap.service.testing.ServiceTest;
import io.gpusnap.service.testing.SimulatedNode;
import io.gpusnap.service.testing.TestManifest;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.unit.DataSize;
import tools.jackson.databind.JsonNode;

/** A model that is wanted by three at this time of each day, on one of two nodes with a GPU each that share a bucket. */
@ServiceTest
class PrefetchingTest {
    private static final DataSize PLENTY = DataSize.ofGigabytes(10);
    private static final long GB = 1L << 30;
    private static final DataSize NOTHING = DataSize.ofBytes(0);

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Moves moves;

    @Autowired
    private PlanFacts facts;

    @Autowired
    private UnpromisedPlans plans;

    @Autowired
    private ForecastOutlook forecasts;

    @Autowired
    private Demand demand;

    @Autowired
    private CompatibilityClasses classes;

    @Autowired
    private PrefetchLog log;

    @Autowired
    private TransactionTemplate transaction;

    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
    private FakeSharedStore bucket;
    private String model;
    private FakeDaemon holder;
    private FakeDaemon empty;
    private String snapshot;

    @BeforeEach
    void givenAModelThatIsAboutToScaleUp() {
        // Nodes of other tests have free GPUs too.
        jdbc.sql("UPDATE node SET schedulable = false").update();
        jdbc.sql("DELETE FROM model_demand").update();
        Catalogue catalogue = Catalogue.create(api);
        model = catalogue.model();
        bucket = new FakeSharedStore();
        holder = FakeDaemon.start(api, bucket);
        empty = FakeDaemon.start(api, bucket);
        snapshot = save(catalogue, 31);
        isWantedDaily(model);
    }

    /** On the holder and in the bucket. */
    private String save(Catalogue catalogue, int pid) {
        String saved = holder.save(catalogue, pid);
        moves.copy(new Moves.Copy(
                SnapshotId.of(saved),
                NodeId.of(holder.id()),
                new StoreId(bucket.id()),
                null,
                TransferPriority.NORMAL,
                "the test wants it"));
        holder.work();
        holder.heartbeat();
        return saved;
    }

    private void isWantedDaily(String who) {
        jdbc.sql("""
                        INSERT INTO model_demand
                        SELECT :model, date_bin('5 minutes', now(), 'epoch') - i * interval '5 minutes', 1, 1, 0,
                               CASE WHEN (288 - i % 288) % 288 BETWEEN 1 AND 60 THEN 3 ELSE 0 END
                          FROM generate_series(0, 5 * 288) AS i
                        """).param("model", who).update();
    }

    private Prefetching prefetching(DataSize budget) {
        return prefetching(budget, NOTHING);
    }

    private Prefetching prefetching(DataSize budget, DataSize memoryBudget) {
        PrefetchSettings settings = new PrefetchSettings(
                0,
                budget,
                memoryBudget,
                Duration.ofMinutes(5),
                Duration.ofSeconds(5),
                Duration.ofHours(4),
                Duration.ofDays(7));
        return new Prefetching(
                new PlanInputs(facts, forecasts, classes, settings),
                plans,
                moves,
                log,
                new PrefetchMetrics(registry),
                settings,
                transaction);
    }

    private double copies(String outcome) {
        return copies("nvme", outcome);
    }

    private double copies(String tier, String outcome) {
        return registry.get("gpusnap.prefetch.copies")
                .tags("tier", tier, "outcome", outcome)
                .counter()
                .count();
    }

    private long leads(String tier) {
        return registry.get("gpusnap.prefetch.lead").tag("tier", tier).timer().count();
    }

    private double thaws(String tier) {
        return registry.get("gpusnap.prefetch.thaws")
                .tag("tier", tier)
                .counter()
                .count();
    }

    /** What explain says of the copy in the node's own store. */
    private String why(FakeDaemon node) {
        return api.get("/api/v1/snapshots/" + snapshot + "/placement/explain")
                .expect(200)
                .json()
                .path("copies")
                .valueStream()
                .filter(copy -> copy.path("nodeId").asString("").equals(node.id()))
                .map(copy -> copy.path("reason").asString())
                .collect(Collectors.joining());
    }

    private void comesBackOn(FakeDaemon node) {
        api.once()
                .post("/api/v1/restores", Map.of("snapshotId", snapshot, "nodeId", node.id()))
                .expect(202);
        node.work();
    }

    @Test
    void whatIsWantedSoonIsBroughtAheadAndItsUseIsCounted() {
        // given
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.settle();
        double coldBefore = thaws("none");

        // when
        prefetching.plan();

        // then the one further GPU is prepared
        assertThat(empty.work()).isOne();
        assertThat(empty.done()).containsExactly("TRANSFER " + snapshot);
        assertThat(holder.work()).isZero();
        assertThat(why(empty))
                .startsWith(model + " runs 0 replicas and wants 3 or more around ")
                .endsWith("; no free GPU has the snapshot hot.");

        // when nothing has changed, then nothing is moved again
        empty.heartbeat();
        prefetching.settle();
        prefetching.plan();
        assertThat(empty.work()).isZero();

        // when a replica comes back from it
        comesBackOn(empty);
        prefetching.settle();

        // then
        assertThat(copies("used")).isOne();
        assertThat(copies("wasted") + copies("failed")).isZero();
        assertThat(registry.get("gpusnap.prefetch.bytes")
                        .tags("tier", "nvme", "outcome", "used")
                        .counter()
                        .count())
                .isPositive();
        assertThat(leads("nvme")).isOne();
        assertThat(leads("memory")).isZero();
        assertThat(thaws("nvme")).isPositive();
        assertThat(thaws("none")).isEqualTo(coldBefore);
    }

    @Test
    void whatIsWantedNowIsBroughtWithoutWaitingForTheNextRound() {
        // given a model that was never wanted at this time of the day, and a round that was just planned
        Prefetching prefetching = prefetching(PLENTY);
        jdbc.sql("UPDATE model_demand SET replicas = 0").update();
        jdbc.sql("UPDATE prefetch_round SET due_at = now() - interval '1 second'")
                .update();
        prefetching.planWhenDue();
        assertThat(empty.work()).isZero();

        // when an autoscaler wants two
        demand.wanted(model, 2);
        prefetching.planWhenDue();

        // then
        assertThat(empty.work()).isOne();
        assertThat(empty.done()).containsExactly("TRANSFER " + snapshot);
    }

    @Test
    void whatNothingUsedInItsTimeIsWasted() {
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.plan();
        empty.work();
        prefetching.settle();
        jdbc.sql("UPDATE prefetched SET expected_at = now() - interval '5 hours' WHERE node_id = ?::uuid")
                .param(empty.id())
                .update();

        prefetching.settle();

        assertThat(copies("wasted")).isOne();
        assertThat(copies("used")).isZero();
    }

    @Test
    void aCopyThatDoesNotArriveIsCountedAsFailed() {
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.plan();
        empty.node()
                .fail(empty.claim("TRANSFER").orElseThrow(), "INSUFFICIENT_SPACE")
                .expect(204);

        prefetching.settle();

        assertThat(copies("failed")).isOne();
    }

    @Test
    void aPodsSnapshotIsNotBroughtToANodeThatThawsIntoNoContainer() {
        jdbc.sql(
                        "INSERT INTO kubernetes_save VALUES (gen_random_uuid(), ?::uuid, 'a-namespace', 'a-podsnapshot', now())")
                .param(snapshot)
                .update();

        prefetching(PLENTY).plan();

        assertThat(empty.work()).isZero();
    }

    @Test
    void nothingIsMovedBeyondTheBudgetOfANode() {
        prefetching(DataSize.ofKilobytes(1)).plan();

        assertThat(empty.work()).isZero();
        assertThat(holder.work()).isZero();
    }

    /** @return a snapshot on a disk on which a copy takes half, with room for three quarters of what is saved of another */
    private String onADiskThatCompresses() {
        empty.compressesTo(FakeDaemon.SNAPSHOT_BYTES / 2);
        String other = empty.save(Catalogue.create(api), 61);
        jdbc.sql("UPDATE snapshot SET distinct_bytes = ? WHERE id IN (?::uuid, ?::uuid)")
                .params(FakeDaemon.SNAPSHOT_BYTES, snapshot, other)
                .update();
        empty.ownCapacity(5 * FakeDaemon.SNAPSHOT_BYTES / 4);
        empty.heartbeat();
        return other;
    }

    @Test
    void aDiskThatCompressesHasRoomForWhatACopyTakesThere() {
        String other = onADiskThatCompresses();

        prefetching(PLENTY).plan();

        assertThat(empty.work()).isOne();
        assertThat(empty.own()).containsExactlyInAnyOrder(other, snapshot);
    }

    @Test
    void whatFoundNoRoomIsNotBroughtAgainBeforeItFitsWhole() {
        String other = onADiskThatCompresses();
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.plan();

        // when what is brought does not become smaller
        empty.node()
                .fail(empty.claim("TRANSFER").orElseThrow(), "INSUFFICIENT_SPACE")
                .expect(204);
        empty.heartbeat();
        prefetching.plan();

        // then it is not brought again
        assertThat(empty.work()).isZero();

        // and when there is room for all of it, then it is
        empty.ownCapacity(2 * FakeDaemon.SNAPSHOT_BYTES);
        empty.heartbeat();
        prefetching.plan();
        assertThat(empty.work()).isOne();
        assertThat(empty.own()).containsExactlyInAnyOrder(other, snapshot);
    }

    @Test
    void whatIsInTheStoreIsBroughtIntoMemoryAndItsUseIsCountedThere() {
        // given
        Prefetching prefetching = prefetching(NOTHING, PLENTY);
        prefetching.settle();

        // when
        prefetching.plan();

        // then only where the node's own store has it, which tells why
        assertThat(empty.work()).isZero();
        assertThat(holder.work()).isOne();
        assertThat(holder.memory()).containsExactly(snapshot);
        assertThat(api.get("/api/v1/snapshots/" + snapshot).json().path("locations"))
                .anySatisfy(copy -> {
                    assertThat(copy.path("kind").asString()).isEqualTo("MEMORY");
                    assertThat(copy.path("reason").asString()).contains("wants 1 or more around");
                });

        // when nothing has changed, then nothing is moved again
        holder.heartbeat();
        prefetching.settle();
        prefetching.plan();
        assertThat(holder.work()).isZero();

        // when a replica comes back from it
        double hotBefore = thaws("memory");
        comesBackOn(holder);
        prefetching.settle();

        // then
        assertThat(copies("memory", "used")).isOne();
        assertThat(copies("memory", "wasted") + copies("memory", "failed") + copies("nvme", "used"))
                .isZero();
        assertThat(leads("memory")).isOne();
        assertThat(thaws("memory")).isEqualTo(hotBefore + 1);
    }

    @Test
    void whatComesToAStoreComesIntoMemoryOneRoundLater() {
        Prefetching prefetching = prefetching(PLENTY, PLENTY);

        prefetching.plan();
        holder.work();
        empty.work();
        assertThat(holder.memory()).containsExactly(snapshot);
        assertThat(empty.own()).containsExactly(snapshot);
        assertThat(empty.memory()).isEmpty();

        holder.heartbeat();
        empty.heartbeat();
        prefetching.plan();
        assertThat(holder.work()).isZero();
        assertThat(empty.work()).isOne();
        assertThat(empty.memory()).containsExactly(snapshot);
    }

    @Test
    void whatMemoryGaveUpIsWastedAndRests() {
        // given
        Prefetching prefetching = prefetching(NOTHING, PLENTY);
        prefetching.plan();
        holder.work();
        prefetching.settle();

        // when other work needed the room, and the node says so
        holder.memory().clear();
        jdbc.sql("UPDATE snapshot_location SET confirmed_at = now() - interval '2 minutes' WHERE snapshot_id = ?::uuid")
                .param(snapshot)
                .update();
        holder.heartbeat();
        prefetching.settle();

        // then
        assertThat(copies("memory", "wasted")).isOne();
        prefetching.plan();
        assertThat(holder.work()).isZero();

        // when it has rested
        jdbc.sql("UPDATE prefetched SET ended_at = ended_at - interval '1 hour' WHERE node_id = ?::uuid")
                .param(holder.id())
                .update();
        prefetching.plan();
        assertThat(holder.work()).isOne();
    }

    @Test
    void nothingComesIntoMemoryBeyondItsBudget() {
        prefetching(NOTHING, DataSize.ofKilobytes(1)).plan();

        assertThat(holder.work()).isZero();
    }

    @Test
    void whatNeedsRoomWaitsUntilItIsMade() {
        // given a node that is full of what was brought ahead for a model that nobody wants any more
        Prefetching prefetching = prefetching(PLENTY);
        empty.ownCapacity(FakeDaemon.SNAPSHOT_BYTES);
        empty.heartbeat();
        prefetching.plan();
        empty.work();
        prefetching.settle();
        empty.heartbeat();
        Catalogue second = Catalogue.create(api);
        String wanted = save(second, 32);
        jdbc.sql("UPDATE model_demand SET replicas = 0").update();
        isWantedDaily(second.model());

        // when
        prefetching.plan();
        empty.work();

        // then what is not wanted has gone, and what is comes when there is room
        assertThat(empty.own()).isEmpty();
        empty.heartbeat();
        prefetching.plan();
        empty.work();
        assertThat(empty.own()).containsExactly(wanted);
        prefetching.settle();
        assertThat(copies("failed")).isZero();
    }

    @Test
    void whatAPolicyPromisesIsNotPlannedToBeGivenUp() {
        // given what was brought ahead, and a policy that counts on it by now
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.plan();
        empty.work();
        empty.heartbeat();
        assertThat(empty.own()).containsExactly(snapshot);
        Map<String, Object> spread = Map.of(
                "models", List.of(model), "enabled", true, "rules", List.of(Map.of("kind", "node-spread", "nodes", 2)));
        String policy = "spread-" + model;

        // when two others are wanted of which one fits beside it
        PrefetchPlanner planner = new PrefetchPlanner(PrefetchRules.standard());
        List<Need> needs = List.of(wantedSoon("one"), wantedSoon("other"));
        List<Site> sites = List.of(new Site(
                NodeId.of(empty.id()),
                2,
                50 * GB,
                100 * GB,
                List.of(new Site.Copy(SnapshotId.of(snapshot), 40 * GB, false))));
        Plan without = plans.plan(planner, needs, sites, Inventory.TierKind.NVME);
        api.once()
                .post("/api/v1/tier-policies", Map.of("name", policy, "spec", spread))
                .expect(201);
        Plan with = plans.plan(planner, needs, sites, Inventory.TierKind.NVME);
        api.with("If-Match", "*").delete("/api/v1/tier-policies/" + policy).expect(204);

        // then that one comes, and does not wait for room that is never made
        assertThat(without.evictions()).hasSize(1);
        assertThat(without.moves()).hasSize(2);
        assertThat(with.evictions()).isEmpty();
        assertThat(with.moves()).hasSize(1);
    }

    private static Need wantedSoon(String who) {
        double[] values = new double[5 * 288];
        for (int day = 0; day < 5; day++) {
            Arrays.fill(values, day * 288 + 6, day * 288 + 18, 1);
        }
        return new Need(
                who,
                SnapshotId.next(),
                40 * GB,
                0,
                new SeasonalForecaster(Duration.ofDays(1), 5)
                        .forecast(new Series(Instant.parse("2026-01-06T00:00:00Z"), Duration.ofMinutes(5), values), 24),
                20);
    }

    @Test
    void whatFitsTheNodesWithFreeGpusIsBroughtThoughANewerSnapshotFitsNone() {
        // given a newer snapshot of the version, of machines with a driver that no node has
        Catalogue catalogue = new Catalogue(api, model, "v1");
        holder.heartbeat(SimulatedNode.process(33, "w-33"));
        String workload = api.get("/api/v1/workloads?node=" + holder.id() + "&name=w-33")
                .expect(200)
                .json()
                .at("/items/0/id")
                .asString();
        catalogue.save(workload, "criu+cuda").expect(202);
        JsonNode save = holder.claim("SAVE").orElseThrow();
        holder.node()
                .complete(save, SimulatedNode.saveOutcome(TestManifest.of(save).withCompatibility()))
                .expect(204);

        // when
        prefetching(PLENTY).plan();

        // then
        empty.work();
        assertThat(empty.own()).containsExactly(snapshot);
    }
}
