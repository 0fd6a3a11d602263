package io.gpusnap.service.schedule.core;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FairSchedulerTest {
    private static final double AGING = 100;
    private static final Goal.Costs COSTS = new Goal.Costs(1, 1, 5);
    private static final NodeId FIRST = new NodeId(new UUID(0, 1));
    private static final NodeId SECOND = new NodeId(new UUID(0, 2));

    private final Scheduler scheduler = new FairScheduler(new Rules(AGING, 100));

    private static Goal goal(String model, int desired, int priority) {
        return new Goal(model, desired, priority, 60, 30, COSTS);
    }

    private static Replica replica(int id, String model, NodeId node, Replica.State state, double since) {
        return new Replica(new WorkloadId(new UUID(1, id)), model, node, state, since);
    }

    private static PoolState state(double now, int slots, List<Replica> replicas, Goal... goals) {
        return new PoolState(now, Map.of(FIRST, slots), replicas, List.of(goals), Map.of());
    }

    private static PoolState after(PoolState before, Decision decision, double seconds) {
        return new PoolState(
                before.now() + seconds, before.slots(), before.replicas(), before.goals(), decision.memory());
    }

    @Test
    void aFreeSlotIsTakenAtOnce() {
        Decision decision = scheduler.decide(state(0, 1, List.of(), goal("a", 1, 0)));

        assertThat(decision.actions()).singleElement().isInstanceOfSatisfying(Decision.Thaw.class, thaw -> {
            assertThat(thaw.node()).isEqualTo(FIRST);
            assertThat(thaw.instead()).isEmpty();
            assertThat(thaw.reason()).contains("a has 0 of 1 replicas").contains("A slot is free");
        });
    }

    @Test
    void aSuspendedReplicaIsWokenRatherThanAnotherOneThawed() {
        Replica asleep = replica(1, "a", SECOND, Replica.State.SUSPENDED, 0);
        PoolState state =
                new PoolState(0, Map.of(FIRST, 4, SECOND, 1), List.of(asleep), List.of(goal("a", 1, 0)), Map.of());

        Decision decision = scheduler.decide(state);

        assertThat(decision.actions()).singleElement().isInstanceOf(Decision.Resume.class);
    }

    @Test
    void whoIsNotWantedMakesRoomAlsoWithinItsKeepAlive() {
        Replica idle = replica(1, "a", FIRST, Replica.State.RUNNING, -100);

        Decision decision = scheduler.decide(state(0, 1, List.of(idle), goal("a", 0, 5), goal("b", 1, 0)));

        assertThat(decision.actions())
                .singleElement()
                .isInstanceOfSatisfying(
                        Decision.Thaw.class, thaw -> assertThat(thaw.instead()).contains(idle));
    }

    @Test
    void whoIsNotWantedStaysUntilItsKeepAliveIsOverIfNobodyWaits() {
        PoolState state = state(0, 1, List.of(replica(1, "a", FIRST, Replica.State.RUNNING, -100)), goal("a", 0, 0));

        Decision first = scheduler.decide(state);
        Decision early = scheduler.decide(after(state, first, 59));
        Decision late = scheduler.decide(after(state, first, 60));

        assertThat(first.actions()).isEmpty();
        assertThat(early.actions()).isEmpty();
        assertThat(late.actions()).singleElement().isInstanceOf(Decision.Suspend.class);
    }

    @Test
    void nobodyLeavesBeforeItsResidencyIsOver() {
        PoolState state = state(
                29, 1, List.of(replica(1, "a", FIRST, Replica.State.RUNNING, 0)), goal("a", 0, 0), goal("b", 1, 9));

        Decision decision = scheduler.decide(state);

        assertThat(decision.actions()).isEmpty();
        assertThat(decision.waiting())
                .singleElement()
                .satisfies(waiting -> assertThat(waiting.reason()).contains("minimum residency"));
    }

    @Test
    void equalsTakeTurnsOnlyAfterWaiting() {
        // given one slot, two models of the same priority, and one of them on it
        PoolState state = state(
                1000, 1, List.of(replica(1, "a", FIRST, Replica.State.RUNNING, 0)), goal("a", 1, 0), goal("b", 1, 0));

        // when
        Decision first = scheduler.decide(state);
        Decision early = scheduler.decide(after(state, first, AGING));
        // one level beyond the running one's rank, and the cost of six seconds
        Decision late = scheduler.decide(after(state, first, AGING + 6.1));

        // then
        assertThat(first.actions()).isEmpty();
        assertThat(early.actions()).isEmpty();
        assertThat(late.actions())
                .singleElement()
                .isInstanceOfSatisfying(
                        Decision.Thaw.class, thaw -> assertThat(thaw.reason()).contains("the switch costs 6.0 s"));
    }

    @Test
    void aMuchHigherPriorityNeedNotWait() {
        PoolState state = state(
                1000, 1, List.of(replica(1, "a", FIRST, Replica.State.RUNNING, 0)), goal("a", 1, 0), goal("b", 1, 5));

        assertThat(scheduler.decide(state).actions()).hasSize(1);
    }

    @Test
    void whatIsNotTheSchedulersIsLeftAlone() {
        PoolState state = state(1000, 1, List.of(replica(1, "", FIRST, Replica.State.FIXED, 0)), goal("b", 1, 1000));

        assertThat(scheduler.decide(state).actions()).isEmpty();
    }

    @Test
    void aNodeWithoutSlotsGetsNothing() {
        assertThat(scheduler.decide(state(0, 0, List.of(), goal("a", 3, 9))).actions())
                .isEmpty();
    }

    @Test
    void aModelIsStartedWhereItCanBeAndNotWhereMostIsFree() {
        PoolState state = new PoolState(
                0,
                Map.of(FIRST, 4, SECOND, 1),
                List.of(),
                List.of(goal("a", 2, 0)),
                Map.of(),
                Map.of("a", Set.of(SECOND)));

        Decision decision = scheduler.decide(state);

        assertThat(decision.actions()).extracting(Decision.Action::node).containsExactly(SECOND);
        assertThat(decision.waiting())
                .singleElement()
                .satisfies(waiting ->
                        assertThat(waiting.reason()).contains("No slot is free on a node that can start it"));
    }

    @Test
    void nobodyLeavesForWhoCannotBeStartedThere() {
        Replica running = replica(1, "b", FIRST, Replica.State.RUNNING, -1000);
        PoolState state = new PoolState(
                0,
                Map.of(FIRST, 1, SECOND, 0),
                List.of(running),
                List.of(goal("a", 1, 100), goal("b", 1, 0)),
                Map.of(),
                Map.of("a", Set.of(SECOND)));

        assertThat(scheduler.decide(state).actions()).isEmpty();
    }

    @Test
    void whoHasNoPlaceInThePoolTakesNobodysSlot() {
        PoolState state = new PoolState(
                0,
                Map.of(FIRST, 1),
                List.of(),
                List.of(goal("a", 1, 100), goal("b", 1, 0)),
                Map.of(),
                Map.of("a", Set.of(), "b", Set.of(FIRST)));

        Decision decision = scheduler.decide(state);

        assertThat(decision.actions()).extracting(Decision.Action::model).containsExactly("b");
        assertThat(decision.waiting())
                .singleElement()
                .satisfies(waiting -> assertThat(waiting.reason()).contains("No node of the pool can start it"));
    }

    @Test
    void oneDecisionHasNoMoreActionsThanItMay() {
        Scheduler careful = new FairScheduler(new Rules(AGING, 2));

        Decision decision = careful.decide(state(0, 10, List.of(), goal("a", 10, 0)));

        assertThat(decision.actions()).hasSize(2);
        assertThat(decision.waiting()).singleElement().satisfies(waiting -> {
            assertThat(waiting.missing()).isEqualTo(8);
            assertThat(waiting.reason()).contains("as many actions");
        });
    }

    /**
     * Any number of models of any priorities on too few slots, each of which wants at least one replica all the time: in
     * every window of the proven length each of them gets one.
     */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
    void nobodyStarves(long seed) {
        Random random = new Random(seed);
        int slots = 1 + random.nextInt(4);
        List<Goal> goals = new ArrayList<>();
        for (int i = 0; i < slots + 1 + random.nextInt(8); i++) {
            goals.add(new Goal(
                    "m" + i, 1 + random.nextInt(3), random.nextInt(4), random.nextInt(100), random.nextInt(60), COSTS));
        }
        double bound = goals.size() * (AGING * (3 + 3) + 6 + 60 + 10);
        Map<String, Double> lastServed = new HashMap<>();
        goals.forEach(goal -> lastServed.put(goal.model(), 0.0));
        Map<WorkloadId, Replica> replicas = new LinkedHashMap<>();
        Map<String, PoolState.Memory> memory = Map.of();
        int id = 0;

        for (double now = 0; now < 5 * bound; now += 10) {
            Decision decision = scheduler.decide(
                    new PoolState(now, Map.of(FIRST, slots), List.copyOf(replicas.values()), goals, memory));
            memory = decision.memory();
            for (Decision.Action action : decision.actions()) {
                switch (action) {
                    case Decision.Suspend suspend -> sleep(replicas, suspend.replica(), now);
                    case Decision.Resume resume -> {
                        resume.instead().ifPresent(leaves -> sleep(replicas, leaves, 0));
                        Replica woken = resume.replica();
                        replicas.put(
                                woken.id(), new Replica(woken.id(), woken.model(), FIRST, Replica.State.RUNNING, now));
                    }
                    case Decision.Thaw thaw -> {
                        double at = now;
                        thaw.instead().ifPresent(leaves -> sleep(replicas, leaves, at));
                        Replica started = replica(id++, thaw.model(), FIRST, Replica.State.RUNNING, now);
                        replicas.put(started.id(), started);
                    }
                }
            }
            double at = now;
            replicas.values().stream()
                    .filter(one -> one.state() == Replica.State.RUNNING)
                    .forEach(one -> lastServed.put(one.model(), at));
            assertThat(lastServed.values())
                    .allSatisfy(last -> assertThat(at - last).isLessThan(bound));
            assertThat(replicas.values().stream()
                            .filter(one -> one.state() == Replica.State.RUNNING)
                            .count())
                    .isLessThanOrEqualTo(slots);
        }
    }

    private static void sleep(Map<WorkloadId, Replica> replicas, Replica replica, double now) {
        replicas.put(replica.id(), new Replica(replica.id(), replica.model(), FIRST, Replica.State.SUSPENDED, now));
    }

    @Test
    void everyDecisionHasAReason() {
        PoolState state = state(
                1000,
                2,
                Arrays.asList(
                        replica(1, "a", FIRST, Replica.State.RUNNING, 0),
                        replica(2, "b", FIRST, Replica.State.RUNNING, 0)),
                goal("a", 0, 0),
                goal("b", 1, 0),
                goal("c", 2, 0));

        Decision decision = scheduler.decide(state);

        assertThat(decision.actions())
                .isNotEmpty()
                .allSatisfy(action -> assertThat(action.reason()).isNotBlank());
        assertThat(decision.waiting())
                .isNotEmpty()
                .allSatisfy(one -> assertThat(one.reason()).isNotBlank());
    }
}
