package io.gpusnap.service.schedule.simulation;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.WorkloadId;
import io.gpusnap.service.schedule.core.Decision;
import io.gpusnap.service.schedule.core.Goal;
import io.gpusnap.service.schedule.core.PoolState;
import io.gpusnap.service.schedule.core.Replica;
import io.gpusnap.service.schedule.core.Scheduler;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.UUID;

/** Plays a scenario to a scheduler. Everything takes as long as it was measured to. */
final class Simulation {
    private static final int SLOTS_PER_NODE = 8;

    /** How many suspended replicas a node's memory holds; the oldest ends when another one comes. */
    private static final int ASLEEP_PER_NODE = 16;

    private final Scenario scenario;
    private final Scheduler scheduler;
    private final int tickSeconds;
    private final double keepAliveSeconds;
    private final double minResidencySeconds;
    private final Map<NodeId, Integer> slots = new LinkedHashMap<>();
    private final Map<WorkloadId, Replica> replicas = new LinkedHashMap<>();
    private final PriorityQueue<Change> changes = new PriorityQueue<>(Comparator.comparingDouble(Change::at));
    private final Waits waits = new Waits();
    private final SimulationResult.Counts counts = new SimulationResult.Counts();
    private Map<String, PoolState.Memory> memory = Map.of();
    private long nextId;

    Simulation(
            Scenario scenario,
            Scheduler scheduler,
            int tickSeconds,
            double keepAliveSeconds,
            double minResidencySeconds) {
        this.scenario = scenario;
        this.scheduler = scheduler;
        this.tickSeconds = tickSeconds;
        this.keepAliveSeconds = keepAliveSeconds;
        this.minResidencySeconds = minResidencySeconds;
        for (int node = 0; node * SLOTS_PER_NODE < scenario.gpus(); node++) {
            slots.put(new NodeId(new UUID(0, node)), Math.min(SLOTS_PER_NODE, scenario.gpus() - node * SLOTS_PER_NODE));
        }
    }

    /** A replica changes its state when its operation ends. */
    private record Change(double at, WorkloadId replica, Replica.State to) {}

    SimulationResult run(String name) {
        long began = System.nanoTime();
        for (double now = 0; now < scenario.seconds(); now += tickSeconds) {
            finish(now);
            List<Goal> goals = goals(now);
            account(goals, now);
            Decision decision =
                    scheduler.decide(new PoolState(now, slots, List.copyOf(replicas.values()), goals, memory));
            memory = decision.memory();
            counts.decided(decision);
            for (Decision.Action action : decision.actions()) {
                apply(action, now);
            }
        }
        waits.close(scenario.seconds());
        return counts.result(name, waits, (System.nanoTime() - began) / 1e9);
    }

    private List<Goal> goals(double now) {
        return scenario.models().stream()
                .map(model -> new Goal(
                        model.name(),
                        model.desiredAt(now),
                        model.priority(),
                        keepAliveSeconds,
                        minResidencySeconds,
                        model.costs()))
                .toList();
    }

    private void account(List<Goal> goals, double now) {
        Map<String, int[]> running = new LinkedHashMap<>();
        replicas.values().forEach(replica -> {
            if (replica.state() == Replica.State.RUNNING) {
                running.computeIfAbsent(replica.model(), model -> new int[1])[0]++;
            }
        });
        for (Goal goal : goals) {
            int count = running.getOrDefault(goal.model(), new int[1])[0];
            waits.missing(goal.model(), Math.max(0, goal.desired() - count), now);
            waits.serving(goal.model(), count, goal.desired(), now);
        }
    }

    private void finish(double now) {
        while (!changes.isEmpty() && changes.peek().at() <= now) {
            Change change = changes.poll();
            Replica replica = Objects.requireNonNull(replicas.get(change.replica()));
            replicas.put(
                    replica.id(), new Replica(replica.id(), replica.model(), replica.node(), change.to(), change.at()));
            if (change.to() == Replica.State.RUNNING) {
                waits.served(replica.model(), change.at());
            } else {
                forgetOldest(replica.node());
            }
        }
    }

    private void forgetOldest(NodeId node) {
        List<Replica> asleep = replicas.values().stream()
                .filter(replica -> replica.node().equals(node) && replica.state() == Replica.State.SUSPENDED)
                .sorted(Comparator.comparingDouble(Replica::since))
                .toList();
        asleep.stream()
                .limit(Math.max(0, asleep.size() - ASLEEP_PER_NODE))
                .forEach(replica -> replicas.remove(replica.id()));
    }

    private void apply(Decision.Action action, double now) {
        switch (action) {
            case Decision.Suspend suspend -> leave(suspend.replica(), now);
            case Decision.Resume resume -> {
                double from = instead(resume.instead(), now);
                Replica replica = resume.replica();
                replicas.put(
                        replica.id(),
                        new Replica(replica.id(), replica.model(), replica.node(), Replica.State.STARTING, now));
                changes.add(
                        new Change(from + costs(replica.model()).resumeSeconds(), replica.id(), Replica.State.RUNNING));
            }
            case Decision.Thaw thaw -> {
                double from = instead(thaw.instead(), now);
                WorkloadId id = new WorkloadId(new UUID(1, nextId++));
                replicas.put(id, new Replica(id, thaw.model(), thaw.node(), Replica.State.STARTING, now));
                changes.add(new Change(from + costs(thaw.model()).thawSeconds(), id, Replica.State.RUNNING));
            }
        }
    }

    /** When the slot is free. Who leaves for another one holds no slot of its own from here on: the other one holds it. */
    private double instead(Optional<Replica> leaves, double now) {
        if (leaves.isEmpty()) {
            return now;
        }
        Replica replica = leaves.get();
        double gone = now + costs(replica.model()).suspendSeconds();
        replicas.put(
                replica.id(),
                new Replica(replica.id(), replica.model(), replica.node(), Replica.State.SUSPENDED, gone));
        forgetOldest(replica.node());
        return gone;
    }

    private void leave(Replica replica, double now) {
        replicas.put(
                replica.id(), new Replica(replica.id(), replica.model(), replica.node(), Replica.State.LEAVING, now));
        changes.add(new Change(now + costs(replica.model()).suspendSeconds(), replica.id(), Replica.State.SUSPENDED));
    }

    private Goal.Costs costs(String model) {
        return scenario.models().stream()
                .filter(one -> one.name().equals(model))
                .findFirst()
                .orElseThrow()
                .costs();
    }
}
