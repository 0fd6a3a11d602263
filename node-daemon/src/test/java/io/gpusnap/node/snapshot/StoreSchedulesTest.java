package io.gpusnap.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A node's own store, and what goes on in it in orders that seeds give: saves and copies that look for their chunks, write them,
 * publish their manifest and let go; thaws; deletions, in each of whose sweeps the others go on between the look at what is named
 * and the deletion of what is not. The store is the real one, with its pins and uses. Whatever the order: what a snapshot needs is
 * there.
 */
class StoreSchedulesTest {

    private static final int SCHEDULES = 120;
    private static final int STEPS = 50;
    private static final int CHUNKS = 9;

    /** What an actor fails to do that protects it. */
    enum Flaw {
        NONE,
        /** Its pins are gone when its manifest is yet to come. */
        PINS_LET_GO,
        /** It reads a snapshot without saying so. */
        READS_UNSAID,
        /** It believes what it saw before it pinned. */
        LOOKS_BEFORE_PINS
    }

    private final Map<ChunkRef, byte[]> contents = new LinkedHashMap<>();
    private final MemorySegment buffer = Arena.ofAuto().allocate(4096, 4096);

    StoreSchedulesTest() {
        for (int i = 0; i < CHUNKS; i++) {
            byte[] content = new byte[100 + i];
            new Random(i).nextBytes(content);
            content[0] |= 1;
            contents.put(new TreeDigester().digest(MemorySegment.ofArray(content)), content);
        }
    }

    @Test
    void whatASnapshotNeedsIsThereInEachOrder() throws Exception {
        Map<String, Integer> events = new TreeMap<>();
        for (int seed = 0; seed < SCHEDULES; seed++) {
            run(seed, Flaw.NONE).forEach((event, count) -> events.merge(event, count, Integer::sum));
        }
        // The schedules are of use only if they meet each other.
        assertThat(events)
                .containsOnlyKeys(
                        "abandoned",
                        "committed",
                        "deleted",
                        "died",
                        "in use",
                        "looked",
                        "reused",
                        "step inside a sweep",
                        "thawed")
                .allSatisfy((event, count) -> assertThat(count).as(event).isGreaterThan(SCHEDULES / 10));
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void whoDoesNotProtectItselfIsFoundOut(Flaw flaw) {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> {
                    for (int seed = 0; seed < SCHEDULES; seed++) {
                        run(seed, flaw);
                    }
                })
                .havingRootCause()
                .as("a chunk that is not there")
                .isInstanceOf(NoSuchFileException.class)
                .withMessageContaining("/chunks/");
    }

    private Map<String, Integer> run(int seed, Flaw flaw) throws Exception {
        Path root = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-store-");
        try (Schedule schedule = new Schedule(seed, flaw, root)) {
            schedule.run();
            return schedule.events;
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        } finally {
            try (var files = Files.walk(root)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }

    /** Something in steps. False: it is over. */
    private interface Actor {
        boolean step() throws TierException, ManifestException;
    }

    /** The real lock, before which a sweep lets others go on. */
    private static final class Interrupted implements ReadWriteLock {

        private final ReadWriteLock real = new ReentrantReadWriteLock();
        private Runnable others = () -> {};

        @Override
        public Lock readLock() {
            return real.readLock();
        }

        @Override
        public Lock writeLock() {
            return new WatchedLock(real.writeLock(), () -> others.run());
        }
    }

    private final class Schedule implements AutoCloseable {

        private final Random random;
        private final Flaw flaw;
        private final SnapshotStore store;
        private final Map<SnapshotId, List<ChunkRef>> committed = new LinkedHashMap<>();
        private final Set<SnapshotId> pending = new HashSet<>();
        private final List<Actor> actors = new ArrayList<>();
        private final Map<String, Integer> events = new TreeMap<>();
        private boolean sweeping;

        Schedule(int seed, Flaw flaw, Path folder) throws Exception {
            this.random = new Random(seed);
            this.flaw = flaw;
            StoreRoot root = StoreRoot.open(folder.resolve("store"));
            Interrupted lock = new Interrupted();
            this.store = new SnapshotStore(
                    root,
                    new NvmeTier(root, 0),
                    MemoryTier.open(folder.resolve("pool"), Arena.ofAuto().allocate(4 << 20, 4096)),
                    List.of(),
                    lock);
            lock.others = this::goOnInside;
        }

        private void happened(String event) {
            events.merge(event, 1, Integer::sum);
        }

        void run() throws TierException, ManifestException {
            for (int i = 0; i < STEPS; i++) {
                switch (random.nextInt(9)) {
                    case 0, 1 -> actors.add(new Save());
                    case 2 -> thaw();
                    case 3 -> delete();
                    case 4 -> look();
                    default -> goOn();
                }
                check();
            }
            while (!actors.isEmpty()) {
                goOn();
            }
            check();
            // and nothing is left of what nobody names, once something is deleted or two looks have found it so
            actors.clear();
            Save last = new Save();
            while (last.step()) {
                check();
            }
            for (SnapshotId snapshot : List.copyOf(committed.keySet())) {
                committed.remove(snapshot);
                store.delete(snapshot);
                check();
            }
            leaveAChunk();
            look();
            look();
            if (pending.isEmpty()) {
                assertThat(store.nvme().list()).isEmpty();
            }
        }

        private void goOn() throws TierException, ManifestException {
            if (!actors.isEmpty()) {
                Actor actor = actors.remove(random.nextInt(actors.size())); // it does one thing at a time
                if (actor.step()) {
                    actors.add(actor);
                }
            }
        }

        /** Between the look of a sweep at what is named, and each of its deletions. */
        private void goOnInside() {
            if (sweeping) {
                return; // one that another one's end began
            }
            sweeping = true;
            try {
                for (int steps = random.nextInt(8); steps > 0; steps--) {
                    happened("step inside a sweep");
                    goOn();
                    check();
                }
            } catch (TierException | ManifestException e) {
                throw new AssertionError("inside a sweep", e);
            } finally {
                sweeping = false;
            }
        }

        private SnapshotId anyCommitted() {
            return List.copyOf(committed.keySet()).get(random.nextInt(committed.size()));
        }

        private void thaw() {
            if (!committed.isEmpty()) {
                actors.add(new Thaw(anyCommitted()));
            }
        }

        private void delete() throws TierException, ManifestException {
            if (committed.isEmpty() || sweeping) {
                return;
            }
            SnapshotId snapshot = anyCommitted();
            List<ChunkRef> chunks = committed.remove(snapshot);
            try {
                store.delete(snapshot);
                happened("deleted");
            } catch (TierException e) {
                assertThat(e.reason()).isEqualTo(Reason.IN_USE);
                committed.put(snapshot, chunks);
                happened("in use");
            }
        }

        /** As a daemon that dies before its manifest. */
        private void leaveAChunk() throws TierException {
            ChunkRef chunk = contents.keySet().iterator().next();
            try (SavePins pins = store.pins()) {
                pins.store(chunk, MemorySegment.ofArray(contents.get(chunk)));
            }
        }

        private void look() throws TierException, ManifestException {
            store.orphans().look(() -> true);
            happened("looked");
        }

        private void check() throws TierException {
            for (List<ChunkRef> chunks : committed.values()) {
                for (ChunkRef chunk : chunks) {
                    if (!store.nvme().contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes())) {
                        read(chunk); // says what it did not find
                    }
                }
            }
        }

        private void read(ChunkRef chunk) throws TierException {
            store.nvme().read(new ChunkDigest(chunk.digest()), chunk.sizeBytes(), buffer);
            assertThat(buffer.asSlice(0, chunk.sizeBytes()).mismatch(MemorySegment.ofArray(contents.get(chunk))))
                    .isEqualTo(-1);
        }

        /** A save, or a copy from elsewhere: looks for each chunk, writes what is not there, and publishes. */
        private final class Save implements Actor {

            private final SnapshotId snapshot = new SnapshotId(new UUID(random.nextLong(), random.nextLong()));
            private final SavePins pins = store.pins();
            private final List<ChunkRef> chunks = new ArrayList<>();
            private final List<ChunkRef> lacking = new ArrayList<>();
            private boolean written;

            Save() {
                contents.keySet().stream()
                        .filter(chunk -> random.nextInt(3) == 0)
                        .forEach(chunks::add);
                lacking.addAll(chunks);
                if (flaw == Flaw.PINS_LET_GO) {
                    pins.close();
                }
            }

            @Override
            public boolean step() throws TierException, ManifestException {
                if (!lacking.isEmpty()) {
                    store(lacking.removeLast());
                    return true;
                }
                if (random.nextInt(12) == 0) {
                    return fail();
                }
                if (!written) {
                    byte[] manifest = ManifestJson.write(Manifests.of(snapshot, chunks));
                    store.writePending(snapshot, manifest);
                    pending.add(snapshot);
                    written = true;
                    return true;
                }
                store.commit(snapshot);
                pins.close();
                pending.remove(snapshot);
                committed.put(snapshot, chunks);
                happened("committed");
                return false;
            }

            private void store(ChunkRef chunk) throws TierException {
                boolean there = store.nvme().contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes());
                if (there) {
                    happened("reused");
                    if (flaw == Flaw.LOOKS_BEFORE_PINS) {
                        return;
                    }
                }
                pins.store(chunk, MemorySegment.ofArray(contents.get(chunk)));
            }

            /** With its undoing, or as a daemon's death leaves it: a pending manifest, and its chunks, which nobody pins. */
            private boolean fail() throws TierException, ManifestException {
                if (random.nextBoolean() || sweeping) {
                    pins.close();
                    happened("died");
                } else {
                    store.abandon(snapshot, pins);
                    pending.remove(snapshot);
                    happened("abandoned");
                }
                return false;
            }
        }

        private final class Thaw implements Actor {

            private final List<ChunkRef> left;
            private final SnapshotUses.Use use;

            Thaw(SnapshotId snapshot) {
                this.left = new ArrayList<>(committed.get(snapshot));
                this.use = flaw == Flaw.READS_UNSAID
                        ? () -> {}
                        : store.use(snapshot).orElseThrow();
            }

            @Override
            public boolean step() throws TierException {
                if (left.isEmpty()) {
                    use.close();
                    happened("thawed");
                    return false;
                }
                read(left.removeLast());
                return true;
            }
        }

        @Override
        public void close() {
            store.close();
        }
    }
}
