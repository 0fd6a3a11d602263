package io.gpusnap.service.tier;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.platform.id.SnapshotId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;

/**
 * A shared store, the daemons that push to it, thaw from it and sweep it, and the ledger of the service, in small steps that
 * a seed puts into some order. Daemons die, stall, and go on after they were given up. After every step each copy that
 * counts has all of its objects.
 */
final class StoreModel {
    static final Duration GRACE = Duration.ofHours(24);
    private static final int CHUNKS = 12;
    private static final int PIECES = 4;
    private static final int LIMIT = 3;

    /** Something that a daemon does in steps. False: it is over. */
    private interface Actor {
        boolean step();
    }

    private final Random random;
    private final MemoryTable table = new MemoryTable();
    private final ObjectLedger ledger = new ObjectLedger(table);
    /** What is really in the store: chunks by object. */
    private final Map<String, Set<Integer>> objects = new TreeMap<>();
    /** Copies that count: objects by snapshot. */
    private final Map<SnapshotId, Set<String>> copies = new LinkedHashMap<>();

    private final Map<SnapshotId, Integer> readers = new HashMap<>();
    private final List<Actor> actors = new ArrayList<>();
    private boolean sweeping;
    private int names;
    int pushed;
    int refused;
    int reused;
    int thawed;
    int deleted;

    StoreModel(long seed) {
        random = new Random(seed);
    }

    void run(int steps) {
        for (int i = 0; i < steps; i++) {
            step();
            check();
        }
    }

    private void step() {
        int choice = random.nextInt(100);
        if (choice < 12) {
            actors.add(new Push(anotherSnapshot(), chunks()));
        } else if (choice < 18 && !copies.isEmpty()) {
            actors.add(new Thaw(anyCopy()));
        } else if (choice < 24 && !copies.isEmpty()) {
            evict(anyCopy());
        } else if (choice < 32 && !sweeping) {
            sweeping = true;
            actors.add(new Sweep());
        } else if (choice < 42) {
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
        for (int i = 0; i < names + 5; i++) {
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
        copies.forEach((snapshot, needed) ->
                assertThat(objects.keySet()).as("objects of a copy that counts").containsAll(needed));
    }

    private Set<Integer> chunks() {
        Set<Integer> chunks = new HashSet<>();
        for (int i = 0; i < PIECES; i++) {
            chunks.add(random.nextInt(CHUNKS));
        }
        return chunks;
    }

    /** Of the seed, as everything is that decides about an order: the same seed goes the same way. */
    private SnapshotId anotherSnapshot() {
        return new SnapshotId(new UUID(random.nextLong(), random.nextLong()));
    }

    /** What there is now. */
    String state() {
        return "%s %s %s %d actors, %d pushed, %d refused, %d reused, %d thawed, %d deleted"
                .formatted(table.now, objects, copies, actors.size(), pushed, refused, reused, thawed, deleted);
    }

    private SnapshotId anyCopy() {
        return List.copyOf(copies.keySet()).get(random.nextInt(copies.size()));
    }

    /** As {@code Moves} does it: not while it is read, and both in one transaction. */
    private void evict(SnapshotId snapshot) {
        if (readers.getOrDefault(snapshot, 0) == 0) {
            ledger.release(snapshot);
            copies.remove(snapshot);
        }
    }

    /** A TRANSFER: looks what the store has, uploads what it lacks, and names all that it needs. */
    private final class Push implements Actor {
        private final SnapshotId snapshot;
        private final Set<Integer> chunks;
        private final Map<String, Long> needed = new TreeMap<>();
        private final List<Integer> lacking = new ArrayList<>();
        private boolean looked;
        private boolean givenUp;

        Push(SnapshotId snapshot, Set<Integer> chunks) {
            this.snapshot = snapshot;
            this.chunks = chunks;
            table.transfers.put(this, table.now);
        }

        @Override
        public boolean step() {
            if (!givenUp && random.nextInt(20) == 0) {
                return dieOrStall();
            }
            if (!looked) {
                look();
            } else if (!lacking.isEmpty()) {
                String name = "o" + names++;
                objects.put(name, Set.of(lacking.removeLast()));
                needed.put(name, 1L);
            } else {
                complete();
                return false;
            }
            return true;
        }

        /** Claimed again it looks again; given up it goes on without knowing, and is not listened to any more. */
        private boolean dieOrStall() {
            switch (random.nextInt(3)) {
                case 0 -> {
                    looked = false;
                    needed.clear();
                    lacking.clear();
                }
                case 1 -> {
                    givenUp = true;
                    table.transfers.remove(this);
                }
                default -> {
                    table.transfers.remove(this);
                    return false;
                }
            }
            return true;
        }

        private void look() {
            looked = true;
            for (int chunk : chunks) {
                objects.entrySet().stream()
                        .filter(one -> one.getValue().contains(chunk))
                        .findFirst()
                        .ifPresentOrElse(
                                one -> {
                                    needed.put(one.getKey(), 1L);
                                    reused++;
                                },
                                () -> lacking.add(chunk));
            }
        }

        private void complete() {
            table.transfers.remove(this);
            if (givenUp) {
                return; // STALE_EPOCH
            }
            if (ledger.reference(snapshot, needed)) {
                copies.put(snapshot, new TreeSet<>(needed.keySet()));
                pushed++;
            } else {
                refused++;
            }
        }
    }

    /** A THAW that reads object after object of a copy which, meanwhile, nobody may remove. */
    private final class Thaw implements Actor {
        private final SnapshotId snapshot;
        private final List<String> toRead;

        Thaw(SnapshotId snapshot) {
            this.snapshot = snapshot;
            this.toRead = new ArrayList<>(copies.get(snapshot));
            readers.merge(snapshot, 1, Integer::sum);
        }

        @Override
        public boolean step() {
            if (toRead.isEmpty()) {
                readers.merge(snapshot, -1, Integer::sum);
                thawed++;
                return false;
            }
            assertThat(objects).as("an object that is read").containsKey(toRead.removeLast());
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
            delete = ledger.doomed(GRACE, LIMIT);
            left = new ArrayList<>(delete);
        }

        @Override
        public boolean step() {
            if (!reliable && !givenUp && random.nextInt(10) == 0) {
                givenUp = true;
                sweeping = false; // another one may begin
            }
            if (!left.isEmpty()) {
                if (objects.remove(left.removeLast()) != null) {
                    deleted++;
                }
                return true;
            }
            if (!givenUp) {
                sweeping = false;
                Map<String, Long> listed = new HashMap<>();
                objects.keySet().forEach(name -> listed.put(name, 1L));
                ledger.deleted(delete);
                ledger.listed(listed);
            }
            return false;
        }
    }
}
