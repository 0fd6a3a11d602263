package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Two nodes that copy, read and sweep, in random orders of their steps: a copy looks what is there, plans its packs, writes one after
 * another and publishes, and others go on between any two of these, and between any two deletions of a sweep. Above them is a
 * service that keeps references and condemns what has none. Whatever the order: what is referenced is whole on both nodes.
 */
class SweepSchedulesTest {

    private static final int SCHEDULES = 100;
    private static final int STEPS = 100;

    private final MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);

    /** What the service does not do that protects a copy. */
    enum Flaw {
        NONE,
        /** It takes a reference to what it has condemned. */
        CONDEMNED_IS_REFERENCED,
        /** It condemns what is referenced. */
        REFERENCED_IS_CONDEMNED,
        /** It forgets a copy that is read. */
        READ_IS_FORGOTTEN
    }

    /** A copy that is under way on a node. */
    private static final class Copying {
        private final PackTier node;
        private final UUID copy;
        private final SnapshotId snapshot;
        private final List<ChunkRef> chunks;
        private final PackWriter writer;
        /** How many deletions had ended by then. */
        private final int begun;

        private @Nullable List<PackWriter.Plan> left;

        /** What the store has is looked up when the copy begins. */
        Copying(PackTier node, int begun, UUID copy, SnapshotId snapshot, List<ChunkRef> chunks) throws TierException {
            this.node = node;
            this.begun = begun;
            this.copy = copy;
            this.snapshot = snapshot;
            this.chunks = chunks;
            node.refresh();
            this.writer = node.writer(copy);
        }
    }

    /** A thaw or a promotion that is under way on a node. */
    private record Reading(PackTier node, UUID copy, List<ChunkRef> left) {}

    /** What the service knows of a copy that ended well. */
    private record Known(SnapshotId snapshot, List<ChunkRef> chunks, Set<String> objects) {}

    /** A snapshot of which a copy was refused: the next attempt is another copy of it, and what this one wrote lies there meanwhile. */
    private record Refused(SnapshotId snapshot, List<ChunkRef> chunks) {}

    @Test
    void whatIsReferencedIsNeverDeleted() throws Exception {
        Map<String, Integer> events = new TreeMap<>();
        for (int seed = 0; seed < SCHEDULES; seed++) {
            run(seed, Flaw.NONE).forEach((event, count) -> events.merge(event, count, Integer::sum));
        }
        // The schedules are of use only if they meet each other.
        assertThat(events)
                .containsOnlyKeys("committed", "deleted", "inside", "missing", "read", "refused")
                .allSatisfy((event, count) ->
                        assertThat(count).as("%s %s", event, events).isPositive());
        assertThat(List.of(events.get("committed"), events.get("deleted")))
                .as(events.toString())
                .allMatch(count -> count > SCHEDULES / 2);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aServiceThatForgetsOneRuleIsFoundOut(Flaw flaw) {
        assertThatExceptionOfType(AssertionError.class)
                .isThrownBy(() -> {
                    for (int seed = 0; seed < 10 * SCHEDULES; seed++) {
                        run(seed, flaw);
                    }
                })
                .withStackTraceContaining("is not ");
    }

    private Map<String, Integer> run(int seed, Flaw flaw) throws Exception {
        Path root = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-sweeps-");
        try {
            Schedule schedule = new Schedule(seed, flaw, root);
            schedule.run();
            return schedule.events;
        } catch (TierException | AssertionError e) {
            throw new AssertionError("seed " + seed, e);
        } finally {
            try (var files = Files.walk(root)) {
                files.sorted(Comparator.reverseOrder())
                        .forEach(file -> file.toFile().delete());
            }
        }
    }

    private final class Schedule {

        private final Random random;
        private final List<PackTier> nodes = new ArrayList<>();
        private final Map<ChunkRef, byte[]> contents = new HashMap<>();
        private final List<ChunkRef> chunks = new ArrayList<>();
        private final List<Copying> copying = new ArrayList<>();
        private final Map<UUID, Known> known = new LinkedHashMap<>();
        private final Set<String> condemned = new HashSet<>();
        private final List<Set<String>> deletions = new ArrayList<>();
        /** Of what was deleted, how many deletions had ended before. */
        private final Map<String, Integer> deleted = new HashMap<>();

        private final List<Refused> refused = new ArrayList<>();
        private int ended;
        private final List<Reading> reading = new ArrayList<>();
        private final Map<String, Integer> events = new TreeMap<>();
        private final Flaw flaw;

        private Schedule(int seed, Flaw flaw, Path root) {
            this.random = new Random(seed);
            this.flaw = flaw;
            for (int node = 0; node < 2; node++) {
                nodes.add(new PackTier(
                        PackSettings.of("nfs"),
                        new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20))),
                        FrameSettings.none()));
            }
            for (int i = 0; i < 8; i++) {
                byte[] content = new byte[1 + random.nextInt(3000)];
                random.nextBytes(content);
                content[0] |= 1;
                ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
                chunks.add(chunk);
                contents.put(chunk, content);
            }
        }

        private void run() throws TierException, InterruptedException {
            for (int step = 0; step < STEPS; step++) {
                switch (random.nextInt(20)) {
                    case 0, 1 -> begin();
                    case 2 -> beginToRead();
                    case 3, 4, 5 -> read();
                    case 6 -> forget();
                    case 7 -> condemn();
                    case 8 -> delete();
                    default -> goOn();
                }
            }
            for (Known one : known.values()) {
                for (PackTier node : nodes) {
                    node.refresh();
                    assertThat(node.manifest(one.snapshot(), found -> true)).isNotEmpty();
                    for (ChunkRef chunk : one.chunks()) {
                        read(node, chunk);
                    }
                }
            }
        }

        private void read(PackTier node, ChunkRef chunk) throws TierException {
            node.read(new ChunkDigest(chunk.digest()), chunk.sizeBytes(), buffer);
            assertThat(buffer.asSlice(0, chunk.sizeBytes()).mismatch(MemorySegment.ofArray(contents.get(chunk))))
                    .isEqualTo(-1);
        }

        private void happened(String event) {
            events.merge(event, 1, Integer::sum);
        }

        /** Of the seed, as everything is that decides about an order. */
        private UUID anyId() {
            return new UUID(random.nextLong(), random.nextLong());
        }

        private PackTier node() {
            return nodes.get(random.nextInt(nodes.size()));
        }

        private void begin() throws TierException {
            List<ChunkRef> some =
                    chunks.stream().filter(chunk -> random.nextBoolean()).toList();
            boolean again = !refused.isEmpty() && random.nextBoolean();
            Refused one =
                    again ? refused.remove(random.nextInt(refused.size())) : new Refused(new SnapshotId(anyId()), some);
            copying.add(new Copying(node(), ended, anyId(), one.snapshot(), one.chunks()));
        }

        /** One step of a copy: its plan, one of its packs, or its end. */
        private void goOn() throws TierException, InterruptedException {
            if (copying.isEmpty()) {
                return;
            }
            Copying one = copying.remove(random.nextInt(copying.size()));
            List<PackWriter.Plan> left = one.left;
            if (left == null) {
                one.left = new ArrayList<>(one.writer.plan(one.chunks));
                copying.add(one);
            } else if (!left.isEmpty()) {
                PackWriter.Plan plan = left.removeFirst();
                try (PackWriter.Desk desk = one.writer.desk(List.of(plan))) {
                    desk.write(plan, chunk -> MemorySegment.ofArray(contents.get(chunk)));
                }
                copying.add(one);
            } else {
                publish(one);
            }
        }

        private void publish(Copying one) throws TierException {
            forgetDeleted(one);
            try {
                List<SharedObject> objects = one.node.publish(one.snapshot, one.copy, new byte[] {'m'}, one.chunks);
                Set<String> names = new HashSet<>();
                objects.forEach(object -> names.add(object.name()));
                // The service takes no reference to what it has condemned: OBJECT_GONE.
                if (names.stream().anyMatch(condemned::contains) && flaw != Flaw.CONDEMNED_IS_REFERENCED) {
                    refused.add(new Refused(one.snapshot, one.chunks));
                    happened("refused");
                } else {
                    known.put(one.copy, new Known(one.snapshot, one.chunks, names));
                    happened("committed");
                }
            } catch (TierException e) {
                // What it was to share was swept meanwhile: the operation fails, and is done anew.
                assertThat(e.reason()).isEqualTo(TierException.Reason.MISSING);
                happened("missing");
            }
        }

        /** The service remembers what was deleted as long as a copy runs that may have seen it. */
        private void forgetDeleted(Copying last) {
            int oldest = copying.stream().mapToInt(one -> one.begun).reduce(last.begun, Math::min);
            deleted.entrySet().removeIf(one -> one.getValue() < oldest && condemned.remove(one.getKey()));
        }

        /** The maps of all copies of the snapshot are read, also of those that were refused. */
        private void beginToRead() throws TierException {
            if (!known.isEmpty()) {
                UUID copy = anyKnown();
                PackTier node = node();
                node.refresh();
                node.manifest(known.get(copy).snapshot(), found -> true);
                reading.add(
                        new Reading(node, copy, new ArrayList<>(known.get(copy).chunks())));
            }
        }

        private void read() throws TierException {
            if (reading.isEmpty()) {
                return;
            }
            Reading one = reading.get(random.nextInt(reading.size()));
            if (one.left().isEmpty()) {
                reading.remove(one);
                happened("read");
            } else {
                read(one.node(), one.left().removeLast());
            }
        }

        private UUID anyKnown() {
            return List.copyOf(known.keySet()).get(random.nextInt(known.size()));
        }

        private void forget() {
            if (known.isEmpty()) {
                return;
            }
            if (flaw == Flaw.READ_IS_FORGOTTEN && !reading.isEmpty()) {
                known.remove(reading.getFirst().copy());
                return;
            }
            UUID copy = anyKnown();
            if (reading.stream().noneMatch(one -> one.copy().equals(copy))) {
                known.remove(copy);
            }
        }

        private Set<String> referenced() {
            Set<String> referenced = new HashSet<>();
            known.values().forEach(one -> referenced.addAll(one.objects()));
            return referenced;
        }

        private void condemn() throws TierException {
            Set<String> garbage = new TreeSet<>();
            node().sweep().listAfter("", Integer.MAX_VALUE).forEach(object -> garbage.add(object.name()));
            if (flaw != Flaw.REFERENCED_IS_CONDEMNED) {
                garbage.removeAll(referenced());
            }
            if (!garbage.isEmpty()) {
                condemned.addAll(garbage);
                deletions.add(garbage);
            }
        }

        /** In any order, however long ago it was decided. */
        private void delete() throws TierException {
            if (deletions.isEmpty()) {
                return;
            }
            Set<String> names = deletions.remove(random.nextInt(deletions.size()));
            node().sweep().delete(List.copyOf(names), this::goOnInside);
            names.forEach(name -> {
                deleted.put(name, ended);
                happened("deleted");
            });
            ended++;
        }

        /** Between two deletions. */
        private void goOnInside() {
            try {
                if (random.nextInt(3) == 0) {
                    goOn();
                    read();
                    happened("inside");
                }
            } catch (TierException | InterruptedException e) {
                throw new AssertionError("inside a sweep", e);
            }
        }
    }
}
