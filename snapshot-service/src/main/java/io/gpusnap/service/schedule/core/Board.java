package io.gpusnap.service.schedule.core;

import io.gpusnap.service.platform.id.NodeId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The pool while a decision is made: who counts, where slots are free, who sleeps where. */
final class Board {
    private final PoolState state;
    private final Map<NodeId, Integer> free = new LinkedHashMap<>();
    private final Map<String, Integer> counts = new HashMap<>();
    private final Map<String, List<Replica>> asleep = new HashMap<>();
    private final Map<String, List<Replica>> running = new HashMap<>();

    Board(PoolState state) {
        this.state = state;
        free.putAll(state.slots());
        for (Replica replica : state.replicas()) {
            if (replica.state().holdsSlot()) {
                free.merge(replica.node(), -1, Integer::sum);
            } else {
                asleep.computeIfAbsent(replica.model(), model -> new ArrayList<>())
                        .add(replica);
            }
            if (replica.state().counts()) {
                counts.merge(replica.model(), 1, Integer::sum);
            }
            if (replica.state() == Replica.State.RUNNING) {
                running.computeIfAbsent(replica.model(), model -> new ArrayList<>())
                        .add(replica);
            }
        }
    }

    int count(String model) {
        return counts.getOrDefault(model, 0);
    }

    /** Those that serve and are not on their way anywhere. */
    List<Replica> running(String model) {
        return running.getOrDefault(model, List.of());
    }

    List<Replica> asleep(String model) {
        return asleep.getOrDefault(model, List.of());
    }

    Optional<Replica> asleepWhereFree(String model) {
        return asleep(model).stream()
                .filter(replica -> free.getOrDefault(replica.node(), 0) > 0)
                .findFirst();
    }

    /** Whether no node is known to be able to start the model, and none has it asleep. */
    boolean hasNoPlace(String model) {
        return state.slots().keySet().stream().noneMatch(node -> state.isAble(model, node))
                && asleep(model).isEmpty();
    }

    /** Of the nodes where the model can be started, the one with the most free slots; of all where it has no place. */
    Optional<NodeId> freest(String model) {
        boolean anywhere = hasNoPlace(model);
        return free.entrySet().stream()
                .filter(node -> node.getValue() > 0 && (anywhere || state.isAble(model, node.getKey())))
                .max(Map.Entry.comparingByValue())
                .map(Map.Entry::getKey);
    }

    void wake(Replica replica) {
        asleep(replica.model()).remove(replica);
        start(replica.model(), replica.node());
    }

    void start(String model, NodeId node) {
        free.merge(node, -1, Integer::sum);
        counts.merge(model, 1, Integer::sum);
    }

    /** Its slot is another one's, who is started beside this call. */
    void replaced(Replica replica) {
        leaves(replica);
        free.merge(replica.node(), 1, Integer::sum);
    }

    /** Its slot becomes free only when it has left. */
    void leaves(Replica replica) {
        running(replica.model()).remove(replica);
        counts.merge(replica.model(), -1, Integer::sum);
    }
}
