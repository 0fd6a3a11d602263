package io.gpusnap.service.prefetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.forecast.Demand;
import io.gpusnap.service.forecast.ForecastOutlook;
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
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.transaction.support.TransactionTemplate;
import org.springframework.util.unit.DataSize;

/** A model that is wanted by three at this time of each day, on one of two nodes with a GPU each that share a bucket. */
@ServiceTest
class PrefetchingTest {
    private static final DataSize PLENTY = DataSize.ofGigabytes(10);

    @Autowired
    private Api api;

    @Autowired
    private JdbcClient jdbc;

    @Autowired
    private Moves moves;

    @Autowired
    private PlanFacts facts;

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
        FakeSharedStore bucket = new FakeSharedStore();
        holder = FakeDaemon.start(api, bucket);
        empty = FakeDaemon.start(api, bucket);
        snapshot = holder.save(catalogue, 31);
        moves.copy(new Moves.Copy(
                SnapshotId.of(snapshot),
                NodeId.of(holder.id()),
                new StoreId(bucket.id()),
                null,
                TransferPriority.NORMAL,
                null,
                "the test wants it"));
        holder.work();
        jdbc.sql("""
                        INSERT INTO model_demand
                        SELECT :model, date_bin('5 minutes', now(), 'epoch') - i * interval '5 minutes', 1, 1, 0,
                               CASE WHEN (288 - i % 288) % 288 BETWEEN 2 AND 60 THEN 3 ELSE 0 END
                          FROM generate_series(0, 5 * 288) AS i
                        """).param("model", catalogue.model()).update();
    }

    private Prefetching prefetching(DataSize budget) {
        PrefetchSettings settings =
                new PrefetchSettings(0, budget, Duration.ofMinutes(5), Duration.ofHours(4), Duration.ofDays(7));
        return new Prefetching(
                new PlanInputs(facts, forecasts, classes, settings),
                moves,
                log,
                new PrefetchMetrics(registry),
                settings,
                transaction);
    }

    private double copies(String outcome) {
        return registry.get("gpusnap.prefetch.copies")
                .tag("outcome", outcome)
                .counter()
                .count();
    }

    private double thaws(String hot) {
        return registry.get("gpusnap.prefetch.thaws").tag("hot", hot).counter().count();
    }

    @Test
    void whatIsWantedSoonIsBroughtAheadAndItsUseIsCounted() {
        // given
        Prefetching prefetching = prefetching(PLENTY);
        prefetching.settle();
        double coldBefore = thaws("false");

        // when
        prefetching.plan();

        // then the one further GPU is prepared
        assertThat(empty.work()).isOne();
        assertThat(empty.done()).containsExactly("TRANSFER " + snapshot);
        assertThat(holder.work()).isZero();

        // when nothing has changed, then nothing is moved again
        empty.heartbeat();
        prefetching.settle();
        prefetching.plan();
        assertThat(empty.work()).isZero();

        // when a replica comes back from it
        api.once()
                .post("/api/v1/restores", Map.of("snapshotId", snapshot, "nodeId", empty.id()))
                .expect(202);
        empty.work();
        prefetching.settle();

        // then
        assertThat(copies("used")).isOne();
        assertThat(copies("wasted") + copies("failed")).isZero();
        assertThat(registry.get("gpusnap.prefetch.bytes")
                        .tag("outcome", "used")
                        .counter()
                        .count())
                .isPositive();
        assertThat(registry.get("gpusnap.prefetch.lead").timer().count()).isOne();
        assertThat(thaws("false")).isEqualTo(coldBefore);
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
}
