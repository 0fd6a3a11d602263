package io.gpusnap.service.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.node.Inventory.TierKind;
import io.gpusnap.service.operation.Engine;
import io.gpusnap.service.operation.OperationKind;
import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import io.gpusnap.service.platform.id.StoreId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.snapshot.CopyGuard;
import io.gpusnap.service.snapshot.Location;
import io.gpusnap.service.snapshot.LocationState;
import io.gpusnap.service.snapshot.SnapshotState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Nodes with stores of their own and a shared one, and what goes on in them: saves, pushes that share what is there, thaws,
 * promotions to another node, removals, sweeps; in small steps that a seed puts into some order. Daemons die, stall, and go on
 * after they were given up. What may be removed is decided by the service's own {@link CopyGuard}, what may be deleted by its own
 * {@link ObjectLedger}. After every step each copy that counts has all of its objects, and each snapshot a copy.
 */
final class StoreModel {
    static final Duration GRACE = Duration.ofHours(24);
    private static final int CHUNKS = 12;
    private static final int PIECES = 4;
    private static final int LIMIT = 3;
    private static final int NODES = 2;
    private static final StoreId SHARED = new StoreId(new UUID(0, 0));

    /** Something that a daemon does in steps. False: it is over. */
    private interface Actor {
        boolean step();
    }

    /** One that the service knows to be under way: it holds its lease. */
    private static final class Running {
        private final SnapshotId snapshot;
        private final OperationKind kind;

        Running(SnapshotId snapshot, OperationKind kind) {
            this.snapshot = snapshot;
            this.kind = kind;
        }
    }

    private final Random random;
    private final Flaw flaw;
    private final MemoryTable table = new MemoryTable();
    private final ObjectLedger ledger;
    /** What a sweep reports is believed as it is. */
    private final ObjectLedger reports = new ObjectLedger(table);

    private final CopyGuard guard = new CopyGuard(this::anyActive);
    /** What is really in the shared store: chunks by object. */
    private final Map<String, Set<Integer>> objects = new TreeMap<>();
    /** Copies that count, by snapshot. */
    private final Map<SnapshotId, List<Location>> locations = new LinkedHashMap<>();
    /** Of those in the shared store: their objects. */
    private final Map<SnapshotId, Set<String>> copies = new LinkedHashMap<>();
    /** When a copy needed them last. */
    private final Map<String, Instant> released = new HashMap<>();

    /** What sweeps have deleted, or found gone. */
    private final Set<String> deleted = new HashSet<>();

    private final Map<String, Integer> events = new TreeMap<>();
    private final Set<Running> running = new HashSet<>();
    private final List<Actor> actors = new ArrayList<>();
    private boolean sweeping;
    private int names;

    StoreModel(long seed) {
        this(seed, Flaw.NONE);
    }

    StoreModel(long seed, Flaw flaw) {
        this.random = new Random(seed);
        this.flaw = flaw;
        this.ledger = new ObjectLedger(new FlawedTable(table, flaw));
        addOwn(anotherSnapshot());
    }

    void run(int steps) {
        for (int i = 0; i < steps; i++) {
            step();
            check();
        }
    }

    private void step() {
        int choice = random.nextInt(100);
        if (choice < 3) {
            actors.add(new Save());
        } else if (choice < 13) {
            SnapshotId snapshot = any(locations);
            if (!isUnderWay(snapshot) && shared(snapshot).isEmpty()) {
                actors.add(new Push(snapshot, chunks()));
            }
        } else if (choice < 18) {
            actors.add(new Read(any(locations), OperationKind.THAW));
        } else if (choice < 22) {
            actors.add(new Read(any(locations), OperationKind.TRANSFER));
        } else if (choice < 36) {
            SnapshotId snapshot = any(locations);
            List<Location> all = locations.get(snapshot);
            remove(all.get(random.nextInt(all.size())));
        } else if (choice < 43 && !sweeping) {
            sweeping = true;
            actors.add(new Sweep());
        } else if (choice < 52) {
            table.now = table.now.plus(Duration.ofMinutes(1 + random.nextInt(24 * 60)));
        } else if (!actors.isEmpty()) {
            Actor actor = actors.get(random.nextInt(actors.size()));
            if (!actor.step()) {
                actors.remove(actor);
            }
        }
    }

    /** Everybody comes to an end, no copy is given up, and the sweeps that follow leave what copies need and nothing else. */
    void settle() {
        while (!actors.isEmpty()) {
            actors.removeIf(actor -> !actor.step());
            check();
        }
        for (int i = 0; i < 2 * names + 5; i++) {
            table.now = table.now.plus(GRACE).plusSeconds(1);
            Sweep sweep = new Sweep();
            sweep.reliable = true;
            while (sweep.step()) {
                check();
            }
        }
        Set<String> needed = new HashSet<>();
        copies.values().forEach(needed::addAll);
        assertThat(objects.keySet()).as("what is left in the store").isEqualTo(needed);
        assertThat(table.size()).as("what the ledger remembers").isEqualTo(needed.size());
    }

    private void check() {
        for (Set<String> needed : copies.values()) {
            if (!objects.keySet().containsAll(needed)) {
                assertThat(objects.keySet()).as("objects of a copy that counts").containsAll(needed);
            }
        }
        for (List<Location> all : locations.values()) {
            if (all.isEmpty()) {
                throw new AssertionError("a copy of each snapshot: " + locations);
            }
        }
    }

    private Set<Integer> chunks() {
        Set<Integer> chunks = new HashSet<>();
        for (int i = 0; i < PIECES; i++) {
            chunks.add(random.nextInt(CHUNKS));
        }
        return chunks;
    }

    /** What there is now. */
    String state() {
        return "%s %s %s %d actors, %s".formatted(table.now, objects, locations, actors.size(), events());
    }

    /** How often what happened so far. */
    Map<String, Integer> events() {
        return new TreeMap<>(events);
    }

    private void happened(String event) {
        events.merge(event, 1, Integer::sum);
    }

    private SnapshotId any(Map<SnapshotId, ?> some) {
        return List.copyOf(some.keySet()).get(random.nextInt(some.size()));
    }

    /** Of the seed, as everything is that decides about an order: the same seed goes the same way. */
    private SnapshotId anotherSnapshot() {
        return new SnapshotId(new UUID(random.nextLong(), random.nextLong()));
    }

    private boolean anyActive(SnapshotId snapshot, Set<OperationKind> kinds) {
        return flaw != Flaw.LEASES_IGNORED
                && running.stream().anyMatch(one -> one.snapshot.equals(snapshot) && kinds.contains(one.kind));
    }

    private boolean isUnderWay(SnapshotId snapshot) {
        return actors.stream().anyMatch(actor -> actor instanceof Push push && push.snapshot.equals(snapshot));
    }

    private Running begin(SnapshotId snapshot, OperationKind kind) {
        Running one = new Running(snapshot, kind);
        running.add(one);
        return one;
    }

    private Location location(SnapshotId snapshot, @Nullable NodeId node, StoreId store) {
        return new Location(
                snapshot,
                store,
                node == null ? TierKind.S3 : TierKind.NVME,
                Optional.ofNullable(node),
                false,
                null,
                LocationState.PRESENT,
                null,
                null,
                table.now,
                false,
                null,
                null,
                null);
    }

    /** A node's own copy counts from now on, unless it has one. */
    private boolean addOwn(SnapshotId snapshot) {
        NodeId node = new NodeId(new UUID(1, random.nextInt(NODES)));
        StoreId own = new StoreId(node.value());
        List<Location> all = locations.computeIfAbsent(snapshot, any -> new ArrayList<>());
        return all.stream().noneMatch(one -> one.storeId().equals(own)) && all.add(location(snapshot, node, own));
    }

    private Optional<Location> shared(SnapshotId snapshot) {
        return locations.get(snapshot).stream()
                .filter(one -> one.node().isEmpty())
                .findFirst();
    }

    /** As {@code Moves} does it: the look and the removal in one transaction. */
    private void remove(Location location) {
        SnapshotId snapshot = location.snapshotId();
        List<Location> all = new ArrayList<>(locations.get(snapshot));
        if (flaw == Flaw.LAST_COPY_IGNORED) {
            all.addAll(locations.get(snapshot));
        }
        try {
            guard.requireRemovable(SnapshotState.READY, Engine.CRIU_CUDA, location, all);
        } catch (ApiException e) {
            happened("kept");
            return;
        }
        happened("removed");
        locations.get(snapshot).remove(location);
        if (location.node().isEmpty()) {
            ledger.release(snapshot);
            copies.remove(snapshot).forEach(name -> released.put(name, table.now));
        }
    }

    /** A SAVE into the node's own store. */
    private final class Save implements Actor {
        private final Running operation = begin(anotherSnapshot(), OperationKind.SAVE);
        private int steps = 1 + random.nextInt(3);

        @Override
        public boolean step() {
            steps--;
            if (steps > 0) {
                return true;
            }
            running.remove(operation);
            if (random.nextInt(10) > 0) { // others die
                addOwn(operation.snapshot);
                happened("saved");
            }
            return false;
        }
    }

    /** A TRANSFER to the shared store: looks what it has, uploads what it lacks, and names all that it needs. */
    private final class Push implements Actor {
        private final SnapshotId snapshot;
        private final Location from;
        private final Running operation;
        private final Set<Integer> chunks;
        private final Map<String, Long> needed = new TreeMap<>();
        private final List<Integer> lacking = new ArrayList<>();
        /** A pack that has no index yet. */
        private @Nullable String unnamed;

        private boolean looked;
        private boolean givenUp;

        Push(SnapshotId snapshot, Set<Integer> chunks) {
            this.snapshot = snapshot;
            this.from = locations.get(snapshot).getFirst();
            this.operation = begin(snapshot, OperationKind.TRANSFER);
            this.chunks = chunks;
            table.transfers.put(this, table.now);
        }

        @Override
        public boolean step() {
            if (!givenUp) {
                assertThat(locations.get(snapshot)).as("a copy that is read").contains(from);
                if (random.nextInt(20) == 0) {
                    return dieOrStall();
                }
            }
            if (!looked) {
                look();
            } else if (!lacking.isEmpty()) {
                upload();
            } else {
                complete();
                return false;
            }
            return true;
        }

        private void end() {
            table.transfers.remove(this);
            running.remove(operation);
        }

        /** Claimed again it looks again; given up it goes on without knowing, and is not listened to any more. */
        private boolean dieOrStall() {
            switch (random.nextInt(3)) {
                case 0 -> {
                    looked = false;
                    needed.clear();
                    lacking.clear();
                    unnamed = null;
                }
                case 1 -> {
                    givenUp = true;
                    end();
                }
                default -> {
                    end();
                    return false;
                }
            }
            return true;
        }

        private void look() {
            looked = true;
            for (int chunk : chunks) {
                objects.entrySet().stream()
                        .filter(one -> one.getKey().startsWith("indexes/")
                                && one.getValue().contains(chunk))
                        .map(one -> one.getKey().replace("indexes/", "packs/"))
                        .findFirst()
                        .ifPresentOrElse(
                                pack -> {
                                    need(pack);
                                    happened("reused");
                                },
                                () -> lacking.add(chunk));
            }
        }

        private void need(String pack) {
            needed.put(pack, 1L);
            needed.put(PackNames.index(pack).orElseThrow(), 1L);
        }

        /** A pack, and in the next step its index. */
        private void upload() {
            String pack = unnamed;
            if (pack == null) {
                unnamed = "packs/o" + names++;
                objects.put(unnamed, Set.of(lacking.getLast()));
            } else {
                objects.put(PackNames.index(pack).orElseThrow(), Set.of(lacking.removeLast()));
                need(pack);
                unnamed = null;
            }
        }

        private void complete() {
            end();
            if (givenUp) {
                return; // STALE_EPOCH
            }
            if (ledger.reference(snapshot, needed)) {
                copies.put(snapshot, new TreeSet<>(needed.keySet()));
                locations.get(snapshot).add(location(snapshot, null, SHARED));
                happened("pushed");
            } else {
                happened("refused");
            }
        }
    }

    /** A THAW from a copy, or a TRANSFER of it to a node's own store: nobody may remove it meanwhile, unless it was given up. */
    private final class Read implements Actor {
        private final Running operation;
        private final Location from;
        private final List<String> toRead = new ArrayList<>();
        private boolean givenUp;

        Read(SnapshotId snapshot, OperationKind kind) {
            List<Location> all = locations.get(snapshot);
            this.operation = begin(snapshot, kind);
            this.from = all.get(random.nextInt(all.size()));
            this.toRead.addAll(from.node().isEmpty() ? copies.get(snapshot) : List.of("own", "own"));
        }

        @Override
        public boolean step() {
            if (!givenUp) {
                assertThat(locations.get(operation.snapshot))
                        .as("a copy that is read")
                        .contains(from);
                if (random.nextInt(30) == 0) {
                    givenUp = true;
                    running.remove(operation);
                }
            }
            if (toRead.isEmpty()) {
                running.remove(operation);
                if (!givenUp && operation.kind == OperationKind.THAW) {
                    happened("thawed");
                } else if (!givenUp && addOwn(operation.snapshot)) {
                    happened("promoted");
                }
                return false;
            }
            String name = toRead.removeLast();
            if (!givenUp && from.node().isEmpty()) {
                assertThat(objects).as("an object that is read").containsKey(name);
            }
            return true;
        }
    }

    /** A SWEEP: deletes what it was told, one by one, lists, and reports; or goes on though it was given up. */
    private final class Sweep implements Actor {
        private final List<String> delete;
        private final List<String> left;
        private boolean givenUp;
        private boolean reliable;

        Sweep() {
            ledger.forget(LIMIT);
            ledger.condemn(LIMIT);
            delete = ledger.doomed(flaw == Flaw.NO_GRACE ? Duration.ZERO : GRACE, LIMIT);
            left = new ArrayList<>(delete);
            left.sort(Comparator.reverseOrder()); // from the end: indexes, then packs
        }

        @Override
        public boolean step() {
            if (!reliable && !givenUp && random.nextInt(10) == 0) {
                givenUp = true;
                sweeping = false; // another one may begin
            }
            if (!left.isEmpty()) {
                delete(left.removeLast());
                return true;
            }
            if (!givenUp) {
                sweeping = false;
                Map<String, Long> listed = new HashMap<>();
                objects.keySet().forEach(name -> listed.put(name, 1L));
                reports.deleted(delete);
                reports.listed(listed);
            }
            return false;
        }

        /** Who read a copy that was removed, and does not know it yet, has the whole grace to end. */
        private void delete(String name) {
            deleted.add(name);
            PackNames.index(name)
                    .ifPresent(index ->
                            assertThat(deleted).as("an index before its pack").contains(index));
            Instant needed = released.getOrDefault(name, Instant.MIN);
            if (objects.remove(name) != null) {
                happened("deleted");
                assertThat(table.now.minus(GRACE))
                        .as("a copy needed it a moment ago")
                        .isAfterOrEqualTo(needed);
            }
        }
    }
}
