package io.gpusnap.service.schedule.core;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The baseline of the simulation: whoever has the higher priority gets a slot at once, from whoever has a lower one, and what is
 * not wanted leaves at once. No ageing, no residency, no keep-alive. The service does not run it.
 */
public final class GreedyScheduler implements Scheduler {
    @Override
    public Decision decide(PoolState state) {
        Board board = new Board(state);
        Map<String, Goal> goals = new HashMap<>();
        state.goals().forEach(goal -> goals.put(goal.model(), goal));
        List<Decision.Action> actions = new ArrayList<>();
        List<Goal> byPriority = state.goals().stream()
                .sorted(Comparator.comparingInt(Goal::priority).reversed().thenComparing(Goal::model))
                .toList();
        for (Goal goal : byPriority) {
            while (board.count(goal.model()) < goal.desired()) {
                Optional<Decision.Action> action = free(goal, board).or(() -> preempt(goal, byPriority, board));
                if (action.isEmpty()) {
                    break;
                }
                actions.add(action.get());
            }
        }
        for (Goal goal : byPriority) {
            for (Replica replica : List.copyOf(board.running(goal.model()))) {
                if (board.count(goal.model()) > goal.desired()) {
                    board.leaves(replica);
                    actions.add(new Decision.Suspend(replica, "It is not wanted."));
                }
            }
        }
        return new Decision(List.copyOf(actions), List.of(), Map.of());
    }

    private static Optional<Decision.Action> free(Goal goal, Board board) {
        Optional<Replica> sleeper = board.asleepWhereFree(goal.model());
        if (sleeper.isPresent()) {
            board.wake(sleeper.get());
            return Optional.of(new Decision.Resume(sleeper.get(), Optional.empty(), "A slot is free."));
        }
        return board.freest(goal.model()).map(node -> {
            board.start(goal.model(), node);
            return new Decision.Thaw(goal.model(), node, Optional.empty(), "A slot is free.");
        });
    }

    private static Optional<Decision.Action> preempt(Goal goal, List<Goal> byPriority, Board board) {
        for (Goal other : byPriority.reversed()) {
            boolean surplus = board.count(other.model()) > other.desired();
            List<Replica> running = board.running(other.model());
            if (!running.isEmpty() && !other.equals(goal) && (surplus || other.priority() < goal.priority())) {
                Replica leaves = running.getFirst();
                board.replaced(leaves);
                Optional<Replica> sleeper = board.asleepWhereFree(goal.model());
                if (sleeper.isPresent() && sleeper.get().node().equals(leaves.node())) {
                    board.wake(sleeper.get());
                    return Optional.of(
                            new Decision.Resume(sleeper.get(), Optional.of(leaves), "Its priority is higher."));
                }
                board.start(goal.model(), leaves.node());
                return Optional.of(
                        new Decision.Thaw(goal.model(), leaves.node(), Optional.of(leaves), "Its priority is higher."));
            }
        }
        return Optional.empty();
    }
}
