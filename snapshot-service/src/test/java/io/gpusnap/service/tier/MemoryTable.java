package io.gpusnap.service.tier;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** {@link ObjectTable} in memory, with a clock and transfers that a test moves. */
final class MemoryTable implements ObjectTable {
    private record Entry(ObjectState state, Instant since) {}

    private final Map<String, Entry> objects = new TreeMap<>();
    private final Map<SnapshotId, Set<String>> references = new HashMap<>();
    final Map<Object, Instant> transfers = new HashMap<>();
    Instant now = Instant.EPOCH;

    int size() {
        return objects.size();
    }

    @Override
    public Map<String, ObjectState> states(Collection<String> names) {
        Map<String, ObjectState> states = new HashMap<>();
        names.forEach(name -> {
            Entry entry = objects.get(name);
            if (entry != null) {
                states.put(name, entry.state());
            }
        });
        return states;
    }

    @Override
    public void add(Map<String, Long> sizes, ObjectState state) {
        sizes.keySet().forEach(name -> {
            if (objects.putIfAbsent(name, new Entry(state, now)) != null) {
                throw new IllegalStateException(name + " is known");
            }
        });
    }

    @Override
    public void move(Collection<String> names, ObjectState to) {
        names.forEach(name -> objects.put(name, new Entry(to, now)));
    }

    @Override
    public void refer(SnapshotId snapshot, Collection<String> names) {
        references.computeIfAbsent(snapshot, any -> new HashSet<>()).addAll(names);
    }

    @Override
    public void unrefer(SnapshotId snapshot) {
        references.remove(snapshot);
    }

    @Override
    public List<String> unreferred(int limit) {
        Set<String> referred = new HashSet<>();
        references.values().forEach(referred::addAll);
        return entries(ObjectState.USED)
                .map(Map.Entry::getKey)
                .filter(name -> !referred.contains(name))
                .sorted()
                .limit(limit)
                .toList();
    }

    @Override
    public List<String> ripe(Duration atLeast, Instant before, int limit) {
        return condemned(atLeast, before)
                .filter(name -> PackNames.index(name)
                        .map(objects::get)
                        .filter(index -> index.state() == ObjectState.USED || index.state() == ObjectState.CONDEMNED)
                        .isEmpty())
                .limit(limit)
                .toList();
    }

    Stream<String> condemned(Duration atLeast, Instant before) {
        return entries(ObjectState.CONDEMNED)
                .filter(one -> one.getValue().since().isBefore(before)
                        && !one.getValue().since().isAfter(now.minus(atLeast)))
                .map(Map.Entry::getKey);
    }

    @Override
    public List<String> deletedBefore(Instant before, int limit) {
        return entries(ObjectState.DELETED)
                .filter(one -> one.getValue().since().isBefore(before))
                .map(Map.Entry::getKey)
                .limit(limit)
                .toList();
    }

    @Override
    public List<String> in(ObjectState state, int limit) {
        return entries(state).map(Map.Entry::getKey).limit(limit).toList();
    }

    @Override
    public void forget(Collection<String> names) {
        names.forEach(objects::remove);
    }

    @Override
    public Instant oldestTransfer() {
        return transfers.values().stream().min(Comparator.naturalOrder()).orElse(now);
    }

    private Stream<Map.Entry<String, Entry>> entries(ObjectState state) {
        return objects.entrySet().stream()
                .filter(one -> one.getValue().state() == state)
                .sorted(Comparator.comparing(
                                (Map.Entry<String, Entry> one) -> one.getValue().since())
                        .thenComparing(Map.Entry::getKey));
    }
}
