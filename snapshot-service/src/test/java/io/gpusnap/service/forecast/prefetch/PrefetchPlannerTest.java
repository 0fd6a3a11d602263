package io.gpusnap.service.forecast.prefetch;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.forecast.Forecast;
import io.gpusnap.service.forecast.SeasonalForecaster;
import io.gpusnap.service.forecast.Series;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class PrefetchPlannerTest {
    private static final long GB = 1_000_000_000;
    private static final NodeId FIRST = new NodeId(new UUID(0, 1));
    private static final NodeId SECOND = new NodeId(new UUID(0, 2));
    private static final SnapshotId RISING = new SnapshotId(new UUID(1, 1));
    private static final SnapshotId IDLE = new SnapshotId(new UUID(1, 2));

    private final PrefetchPlanner planner = new PrefetchPlanner(new PrefetchRules(12, 24, 12, 0.6, 0.05, 0.2, 4));

    /** Five days; on each, from half an hour after this time of the day on, so many replicas for an hour, else none. */
    private static Forecast risingTo(int replicas) {
        double[] values = new double[5 * 288];
        for (int day = 0; day < 5; day++) {
            Arrays.fill(values, day * 288 + 6, day * 288 + 18, replicas);
        }
        return forecast(values);
    }

    private static Forecast idle() {
        return forecast(new double[5 * 288]);
    }

    private static Forecast forecast(double[] values) {
        return new SeasonalForecaster(Duration.ofDays(1), 5)
                .forecast(new Series(Instant.parse("2026-01-06T00:00:00Z"), Duration.ofMinutes(5), values), 24);
    }

    private static Need need(SnapshotId snapshot, Forecast forecast) {
        return new Need("model-" + snapshot.value().getLeastSignificantBits(), snapshot, 40 * GB, 0, forecast, 20);
    }

    private static Site site(NodeId node, int freeGpus, long freeBytes, SnapshotId... copies) {
        return new Site(
                node,
                freeGpus,
                freeBytes,
                100 * GB,
                Arrays.stream(copies)
                        .map(copy -> new Site.Copy(copy, 40 * GB, false))
                        .toList());
    }

    @Test
    void aSnapshotIsMovedBeforeTheRiseThatItIsFor() {
        Plan plan = planner.plan(List.of(need(RISING, risingTo(1))), List.of(site(FIRST, 2, 100 * GB)));

        assertThat(plan.moves()).singleElement().satisfies(move -> {
            assertThat(move.snapshot()).isEqualTo(RISING);
            assertThat(move.node()).isEqualTo(FIRST);
            assertThat(move.expectedAt())
                    .isBetween(Instant.parse("2026-01-06T00:20:00Z"), Instant.parse("2026-01-06T00:59:00Z"));
            assertThat(move.probability()).isGreaterThan(0.6);
            assertThat(move.reason()).contains("runs 0 replicas and wants 1 or more");
        });
        assertThat(plan.evictions()).isEmpty();
    }

    @Test
    void nothingIsMovedForAModelThatNobodyWants() {
        Plan plan = planner.plan(List.of(need(IDLE, idle())), List.of(site(FIRST, 2, 100 * GB)));

        assertThat(plan.moves()).isEmpty();
    }

    @Test
    void whereItIsHotAlreadyNothingMoves() {
        Plan plan = planner.plan(
                List.of(need(RISING, risingTo(1))),
                List.of(site(FIRST, 2, 60 * GB, RISING), site(SECOND, 4, 100 * GB)));

        assertThat(plan.moves()).isEmpty();
        assertThat(plan.worth().get(FIRST).get(RISING)).isGreaterThan(0.5);
    }

    @Test
    void aCopyWithoutAFreeGpuBesideItDoesNotCount() {
        Plan plan = planner.plan(
                List.of(need(RISING, risingTo(1))),
                List.of(site(FIRST, 0, 60 * GB, RISING), site(SECOND, 4, 100 * GB)));

        assertThat(plan.moves()).extracting(Plan.Move::node).containsExactly(SECOND);
    }

    @Test
    void aSiteThatTakesOnlySomeSnapshotsIsMovedNoOther() {
        Site picky = new Site(FIRST, 4, 100 * GB, 100 * GB, List.of(), Optional.of(Set.of(IDLE)));
        Site fitting = new Site(SECOND, 1, 100 * GB, 100 * GB, List.of(), Optional.of(Set.of(RISING)));

        Plan plan = planner.plan(List.of(need(RISING, risingTo(1))), List.of(picky, fitting));

        assertThat(plan.moves()).extracting(Plan.Move::node).containsExactly(SECOND);
    }

    @Test
    void severalReplicasGetSeatsOnSeveralNodes() {
        Plan plan = planner.plan(
                List.of(need(RISING, risingTo(3))), List.of(site(FIRST, 2, 100 * GB), site(SECOND, 2, 100 * GB)));

        assertThat(plan.moves()).extracting(Plan.Move::node).containsExactlyInAnyOrder(FIRST, SECOND);
    }

    @Test
    void whatIsWorthLessMakesRoom() {
        Plan plan = planner.plan(
                List.of(need(RISING, risingTo(1)), need(IDLE, idle())), List.of(site(FIRST, 1, 10 * GB, IDLE)));

        assertThat(plan.evictions()).extracting(Plan.Eviction::snapshot).containsExactly(IDLE);
        assertThat(plan.moves()).extracting(Plan.Move::snapshot).containsExactly(RISING);
    }

    @Test
    void aPinnedCopyStays() {
        Site site = new Site(FIRST, 1, 10 * GB, 100 * GB, List.of(new Site.Copy(IDLE, 40 * GB, true)));

        Plan plan = planner.plan(List.of(need(RISING, risingTo(1))), List.of(site));

        assertThat(plan.evictions()).isEmpty();
        assertThat(plan.moves()).isEmpty();
    }

    @Test
    void noMoreIsMovedThanTheBudgetAllows() {
        Site site = new Site(FIRST, 4, 500 * GB, 30 * GB, List.of());

        Plan plan = planner.plan(List.of(need(RISING, risingTo(2))), List.of(site));

        assertThat(plan.moves()).isEmpty();
    }

    @Test
    void theSameInputGivesTheSamePlan() {
        List<Need> needs = List.of(need(RISING, risingTo(3)), need(IDLE, idle()));
        List<Site> sites = List.of(site(FIRST, 2, 100 * GB), site(SECOND, 2, 100 * GB, IDLE));

        assertThat(planner.plan(needs, sites)).isEqualTo(planner.plan(needs, sites));
    }
}
