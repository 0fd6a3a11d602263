package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

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
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/**
 * Two nodes that copy and sweep, in random orders of their steps, under a service that keeps references and condemns what has none,
 * minutes before it has it deleted. Whatever the order: what is referenced is whole on both nodes.
 */
class SweepSchedulesTest {

    private static final int SCHEDULES = 200;
    private static final int STEPS = 30;

    private final MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);

    /** A copy that is under way on a node. */
    private record Copying(PackTier node, UUID copy, SnapshotId snapshot, List<ChunkRef> chunks, PackWriter writer) {}

    /** What the service knows of a copy that ended well. */
    private record Known(SnapshotId snapshot, List<ChunkRef> chunks, Set<String> objects) {}

    @Test
    void whatIsReferencedIsNeverDeleted() throws Exception {
        int committed = 0;
        int refused = 0;
        int deleted = 0;
        for (int seed = 0; seed < SCHEDULES; seed++) {
            Path root = Files.createTempDirectory(Path.of("/dev/shm"), "gpusnap-sweeps-");
            try {
                Schedule schedule = new Schedule(seed, root);
                schedule.run();
                committed += schedule.committed;
                refused += schedule.refused;
                deleted += schedule.deleted;
            } catch (TierException | AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            } finally {
                try (var files = Files.walk(root)) {
                    files.sorted(Comparator.reverseOrder())
                            .forEach(file -> file.toFile().delete());
                }
            }
        }
        // The schedules are of use only if they meet each other.
        assertThat(committed).isGreaterThan(SCHEDULES);
        assertThat(refused).isPositive();
        assertThat(deleted).isGreaterThan(SCHEDULES);
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
        private int committed;
        private int refused;
        private int deleted;

        private Schedule(int seed, Path root) {
            this.random = new Random(seed);
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
                switch (random.nextInt(6)) {
                    case 0 -> begin();
                    case 1, 2 -> goOn();
                    case 3 -> forget();
                    case 4 -> condemn();
                    default -> delete();
                }
            }
            for (Known one : known.values()) {
                for (PackTier node : nodes) {
                    node.refresh();
                    assertThat(node.manifest(one.snapshot(), found -> true)).isNotEmpty();
                    for (ChunkRef chunk : one.chunks()) {
                        node.read(new ChunkDigest(chunk.digest()), chunk.sizeBytes(), buffer);
                        assertThat(buffer.asSlice(0, chunk.sizeBytes())
                                        .mismatch(MemorySegment.ofArray(contents.get(chunk))))
                                .isEqualTo(-1);
                    }
                }
            }
        }

        private PackTier node() {
            return nodes.get(random.nextInt(nodes.size()));
        }

        /** What the store has is looked up when the copy begins. */
        private void begin() throws TierException {
            PackTier node = node();
            node.refresh();
            List<ChunkRef> some =
                    chunks.stream().filter(chunk -> random.nextBoolean()).toList();
            UUID copy = new UUID(random.nextLong(), random.nextLong());
            copying.add(new Copying(node, copy, SnapshotId.random(), some, node.writer(copy)));
        }

        private void goOn() throws TierException, InterruptedException {
            if (copying.isEmpty()) {
                return;
            }
            Copying one = copying.remove(random.nextInt(copying.size()));
            try {
                for (PackWriter.Plan plan : one.writer().plan(one.chunks())) {
                    try (PackWriter.Desk desk = one.writer().desk(List.of(plan))) {
                        desk.write(plan, chunk -> MemorySegment.ofArray(contents.get(chunk)));
                    }
                }
                List<SharedObject> objects =
                        one.node().publish(one.snapshot(), one.copy(), new byte[] {'m'}, one.chunks());
                Set<String> names = new HashSet<>();
                objects.forEach(object -> names.add(object.name()));
                // The service takes no reference to what it has condemned: OBJECT_GONE.
                if (names.stream().anyMatch(condemned::contains)) {
                    refused++;
                } else {
                    known.put(one.copy(), new Known(one.snapshot(), one.chunks(), names));
                    committed++;
                }
            } catch (TierException e) {
                // What it was to share was swept meanwhile: the operation fails, and is done anew.
                assertThat(e.reason()).isEqualTo(TierException.Reason.MISSING);
            }
        }

        private void forget() {
            if (!known.isEmpty()) {
                known.remove(List.copyOf(known.keySet()).get(random.nextInt(known.size())));
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
            garbage.removeAll(referenced());
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
            node().sweep().delete(List.copyOf(names), () -> {});
            deleted += names.size();
        }
    }
}
