package io.gpusnap.service.forecast.prefetch;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The sites while a plan is made: who sits where, what is still free, what was given up. */
final class Room {
    private final List<Shelf> shelves;
    private final List<Plan.Eviction> evictions = new ArrayList<>();

    private final double margin;

    Room(List<Site> sites, double margin) {
        this.margin = margin;
        shelves = sites.stream().map(Shelf::new).toList();
    }

    private static final class Shelf {
        private final NodeId node;
        private final Map<SnapshotId, Site.Copy> copies = new LinkedHashMap<>();
        private final Map<SnapshotId, Double> worth = new LinkedHashMap<>();
        private final Optional<Set<SnapshotId>> takes;
        /** Free GPUs less what is expected to be taken. */
        private double seats;

        private long freeBytes;
        private long budgetBytes;

        Shelf(Site site) {
            node = site.node();
            site.copies().forEach(copy -> copies.put(copy.snapshot(), copy));
            seats = site.freeGpus();
            freeBytes = site.freeBytes();
            budgetBytes = site.budgetBytes();
            takes = site.takes();
        }

        void sit(SnapshotId snapshot, double probability) {
            seats -= probability;
            worth.merge(snapshot, probability, Math::max);
        }

        boolean takes(SnapshotId snapshot) {
            return !copies.containsKey(snapshot)
                    && takes.map(only -> only.contains(snapshot)).orElse(true);
        }

        /** What would have to go for so many bytes, the least worth first and of equals the least recently used; empty if that is not enough. */
        Optional<List<Site.Copy>> victims(long bytes, double below) {
            List<Site.Copy> victims = new ArrayList<>();
            long free = freeBytes;
            List<Site.Copy> cheapest = copies.values().stream()
                    .filter(copy -> !copy.pinned() && worth.getOrDefault(copy.snapshot(), 0.0) < below)
                    .sorted(Comparator.comparingDouble(copy -> worth.getOrDefault(copy.snapshot(), 0.0)))
                    .toList();
            for (Site.Copy copy : cheapest) {
                if (free >= bytes) {
                    break;
                }
                victims.add(copy);
                free += copy.bytes();
            }
            return free >= bytes ? Optional.of(victims) : Optional.empty();
        }
    }

    /** Takes a free GPU where the snapshot is hot; false if there is none. Of several, where most are free. */
    boolean sit(SnapshotId snapshot, double probability) {
        Optional<Shelf> found = shelves.stream()
                .filter(shelf -> shelf.seats > 0 && shelf.copies.containsKey(snapshot))
                .max(Comparator.comparingDouble(shelf -> shelf.seats));
        found.ifPresent(shelf -> shelf.sit(snapshot, probability));
        return found.isPresent();
    }

    /** Puts a copy where most GPUs are free and room can be made; empty if nowhere. */
    Optional<NodeId> place(Need need, double probability) {
        return shelves.stream()
                .filter(shelf -> shelf.seats > 0
                        && shelf.budgetBytes >= need.bytes()
                        && shelf.takes(need.snapshot())
                        && shelf.victims(need.bytes(), probability - margin).isPresent())
                .max(Comparator.<Shelf>comparingDouble(shelf -> shelf.seats)
                        .thenComparingLong(shelf -> shelf.freeBytes))
                .map(shelf -> put(shelf, need, probability));
    }

    private NodeId put(Shelf shelf, Need need, double probability) {
        for (Site.Copy victim :
                shelf.victims(need.bytes(), probability - margin).orElseThrow()) {
            shelf.copies.remove(victim.snapshot());
            shelf.freeBytes += victim.bytes();
            evictions.add(new Plan.Eviction(
                    victim.snapshot(),
                    shelf.node,
                    victim.bytes(),
                    "Makes room for the snapshot of " + need.model() + ", which is more likely to be used."));
        }
        shelf.copies.put(need.snapshot(), new Site.Copy(need.snapshot(), need.bytes(), false));
        shelf.freeBytes -= need.bytes();
        shelf.budgetBytes -= need.bytes();
        shelf.sit(need.snapshot(), probability);
        return shelf.node;
    }

    List<Plan.Eviction> evictions() {
        return List.copyOf(evictions);
    }

    Map<NodeId, Map<SnapshotId, Double>> worth() {
        Map<NodeId, Map<SnapshotId, Double>> all = new LinkedHashMap<>();
        shelves.forEach(shelf -> all.put(shelf.node, Map.copyOf(shelf.worth)));
        return all;
    }
}
