package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Priorities that age. A model that has too few replicas has a rank: its priority, one more while it has none at all, and one more
 * for every {@link Rules#agingSeconds} that it waits. Whoever ranks highest is served first: from a free slot; else
 * from a replica that its own model has too many of; else from a replica whose model ranks lower by more than one level and
 * the cost of the switch. A replica is left alone until its minimum residency is over. Ranks of those who wait grow without
 * bound and ranks of those who run do not, so nobody who can be started somewhere waits for ever: with at least one slot a model gets a replica after at
 * most {@code aging × (difference of priorities + 3) + cost + longest residency} from when it is the one that waits longest.
 */
public final class FairScheduler implements Scheduler {
    private final Rules rules;

    public FairScheduler(Rules rules) {
        this.rules = rules;
    }

    @Override
    public Decision decide(PoolState state) {
        return new Round(state).run();
    }

    private record Waiter(Goal goal, int missing, double waited, double rank) {}

    private record Victim(Replica replica, boolean surplus, double standing) {}

    private final class Round {
        private final PoolState state;
        private final Board board;
        private final Map<String, Goal> goals = new HashMap<>();
        private final Map<String, PoolState.Memory> memory = new HashMap<>();
        private final List<Decision.Action> actions = new ArrayList<>();
        private final List<Decision.Waiting> waiting = new ArrayList<>();
        private final List<Victim> victims = new ArrayList<>();

        Round(PoolState state) {
            this.state = state;
            board = new Board(state);
            state.goals().forEach(goal -> goals.put(goal.model(), goal));
        }

        Decision run() {
            state.goals().forEach(this::remember);
            List<Waiter> waiters = waiters();
            if (!waiters.isEmpty()) {
                collectVictims();
            }
            waiters.forEach(this::serve);
            Set<Replica> gone = new HashSet<>();
            actions.forEach(action -> insteadOf(action).ifPresent(gone::add));
            state.goals().forEach(goal -> putToSleep(goal, gone));
            return new Decision(List.copyOf(actions), List.copyOf(waiting), Map.copyOf(memory));
        }

        private void remember(Goal goal) {
            PoolState.Memory before = state.memory().getOrDefault(goal.model(), PoolState.Memory.NOTHING);
            int count = board.count(goal.model());
            memory.put(
                    goal.model(),
                    new PoolState.Memory(
                            count < goal.desired() ? first(before.waitingSince()) : Double.NaN,
                            count > goal.desired() ? first(before.surplusSince()) : Double.NaN));
        }

        private double first(double before) {
            return Double.isNaN(before) ? state.now() : before;
        }

        private PoolState.Memory memoryOf(String model) {
            return memory.getOrDefault(model, PoolState.Memory.NOTHING);
        }

        /** Those that have no place in the pool come last: what they ask for will be refused, and must take nobody's slot. */
        private List<Waiter> waiters() {
            return goals.values().stream()
                    .filter(goal -> board.count(goal.model()) < goal.desired())
                    .map(goal -> {
                        int count = board.count(goal.model());
                        double waited = state.now() - memoryOf(goal.model()).waitingSince();
                        double rank = goal.priority() + (count == 0 ? 1 : 0) + waited / rules.agingSeconds();
                        return new Waiter(goal, goal.desired() - count, waited, rank);
                    })
                    .sorted(Comparator.comparing((Waiter waiter) ->
                                    board.hasNoPlace(waiter.goal().model()))
                            .thenComparing(
                                    Comparator.comparingDouble(Waiter::rank).reversed())
                            .thenComparing(waiter -> waiter.goal().model()))
                    .toList();
        }

        /** Replicas that may have to leave, who goes first at the front. */
        private void collectVictims() {
            for (Replica replica : state.replicas()) {
                Goal goal = goals.get(replica.model());
                if (replica.state() != Replica.State.RUNNING || !residencyOver(replica, goal)) {
                    continue;
                }
                int count = board.count(replica.model());
                boolean surplus = goal == null || count > goal.desired();
                double standing = goal == null ? 0 : goal.priority() + (count == 1 ? 1 : 0);
                victims.add(new Victim(replica, surplus, standing));
            }
            victims.sort(Comparator.comparing(Victim::surplus)
                    .reversed()
                    .thenComparingDouble(Victim::standing)
                    .thenComparingDouble(victim -> victim.replica().since())
                    .thenComparing(victim -> victim.replica().id().value()));
        }

        private boolean residencyOver(Replica replica, @Nullable Goal goal) {
            return goal == null || state.now() - replica.since() >= goal.minResidencySeconds();
        }

        private void serve(Waiter waiter) {
            for (int missing = waiter.missing(); missing > 0; missing--) {
                if (actions.size() >= rules.mostActions()) {
                    wait(waiter, missing, "This decision has as many actions as one may have; the next one goes on.");
                    return;
                }
                Optional<Decision.Action> action = fromFree(waiter).or(() -> fromVictim(waiter));
                if (action.isEmpty()) {
                    wait(waiter, missing, whyNot(waiter));
                    return;
                }
                actions.add(action.get());
                // The next replica of the same model has to wait its turn again.
                memory.put(
                        waiter.goal().model(),
                        new PoolState.Memory(missing > 1 ? state.now() : Double.NaN, Double.NaN));
            }
        }

        private void wait(Waiter waiter, int missing, String reason) {
            waiting.add(new Decision.Waiting(waiter.goal().model(), missing, waiter.waited(), reason));
        }

        private Optional<Decision.Action> fromFree(Waiter waiter) {
            String model = waiter.goal().model();
            Optional<Replica> sleeper = board.asleepWhereFree(model);
            if (sleeper.isPresent()) {
                board.wake(sleeper.get());
                return Optional.of(new Decision.Resume(
                        sleeper.get(),
                        Optional.empty(),
                        ranks(waiter) + " A slot is free beside its suspended replica."));
            }
            return board.freest(model).map(node -> {
                board.start(model, node);
                return new Decision.Thaw(model, node, Optional.empty(), ranks(waiter) + " A slot is free.");
            });
        }

        private Optional<Decision.Action> fromVictim(Waiter waiter) {
            List<Replica> sleepers = board.asleep(waiter.goal().model());
            for (int i = 0; i < victims.size(); i++) {
                Victim victim = victims.get(i);
                boolean stillSurplus = surplus(victim.replica().model());
                Optional<Replica> sleeper = sleepers.stream()
                        .filter(replica ->
                                replica.node().equals(victim.replica().node()))
                        .findFirst();
                if (victim.replica().model().equals(waiter.goal().model())
                        || sleeper.isEmpty()
                                && !state.isAble(
                                        waiter.goal().model(), victim.replica().node())
                        || !(stillSurplus || outranks(waiter, victim, sleeper.isPresent()))) {
                    continue;
                }
                victims.remove(i);
                return Optional.of(replace(waiter, victim, sleeper, stillSurplus));
            }
            return Optional.empty();
        }

        private boolean surplus(String model) {
            Goal goal = goals.get(model);
            return goal == null || board.count(model) > goal.desired();
        }

        private boolean outranks(Waiter waiter, Victim victim, boolean resume) {
            return waiter.rank()
                    > victim.standing() + 1 + cost(waiter.goal(), victim.replica(), resume) / rules.agingSeconds();
        }

        private double cost(Goal goal, Replica victim, boolean resume) {
            Goal leaving = goals.get(victim.model());
            return (leaving == null ? 0 : leaving.costs().suspendSeconds())
                    + (resume ? goal.costs().resumeSeconds() : goal.costs().thawSeconds());
        }

        private Decision.Action replace(Waiter waiter, Victim victim, Optional<Replica> sleeper, boolean surplus) {
            Replica leaves = victim.replica();
            String reason = ranks(waiter)
                    + (surplus
                            ? " " + leaves.model() + " has more replicas than it is to have."
                            : String.format(
                                    Locale.ROOT,
                                    " %s ranks %.1f, has run %.0f s, and the switch costs %.1f s.",
                                    leaves.model(),
                                    victim.standing(),
                                    state.now() - leaves.since(),
                                    cost(waiter.goal(), leaves, sleeper.isPresent())));
            board.replaced(leaves);
            if (sleeper.isPresent()) {
                board.wake(sleeper.get());
                return new Decision.Resume(sleeper.get(), Optional.of(leaves), reason);
            }
            NodeId node = leaves.node();
            board.start(waiter.goal().model(), node);
            return new Decision.Thaw(waiter.goal().model(), node, Optional.of(leaves), reason);
        }

        private String ranks(Waiter waiter) {
            return String.format(
                    Locale.ROOT,
                    "%s has %d of %d replicas, has waited %.0f s and ranks %.1f.",
                    waiter.goal().model(),
                    waiter.goal().desired() - waiter.missing(),
                    waiter.goal().desired(),
                    waiter.waited(),
                    waiter.rank());
        }

        private String whyNot(Waiter waiter) {
            return ranks(waiter)
                    + (board.hasNoPlace(waiter.goal().model())
                            ? " No node of the pool can start it."
                            : " No slot is free on a node that can start it, and no replica there whose minimum residency"
                                    + " is over ranks low enough.");
        }

        /** What nobody wants any more gives its slot back when its keep-alive is over. */
        private void putToSleep(Goal goal, Set<Replica> gone) {
            double since = memoryOf(goal.model()).surplusSince();
            if (Double.isNaN(since) || state.now() - since < goal.keepAliveSeconds()) {
                return;
            }
            for (Replica replica : List.copyOf(board.running(goal.model()))) {
                if (!surplus(goal.model()) || actions.size() >= rules.mostActions()) {
                    return;
                }
                if (!gone.contains(replica) && residencyOver(replica, goal)) {
                    board.leaves(replica);
                    actions.add(new Decision.Suspend(
                            replica,
                            String.format(
                                    Locale.ROOT,
                                    "%s is to have %d replicas and has had more for %.0f s, longer than its keep-alive.",
                                    goal.model(),
                                    goal.desired(),
                                    state.now() - since)));
                }
            }
        }

        private static Optional<Replica> insteadOf(Decision.Action action) {
            return switch (action) {
                case Decision.Resume resume -> resume.instead();
                case Decision.Thaw thaw -> thaw.instead();
                case Decision.Suspend suspend -> Optional.empty();
            };
        }
    }
}
