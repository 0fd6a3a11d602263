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
import io.gpusnap.node.tier.FaultyDisk;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SnapshotStoreTest {

    @TempDir
    Path folder;

    private SnapshotStore store;

    @BeforeEach
    void open() throws Exception {
        StoreRoot root = StoreRoot.open(folder.resolve("store"));
        MemorySegment pool = Arena.ofAuto().allocate(16 << 20, 4096);
        store = new SnapshotStore(root, new NvmeTier(root, 0), MemoryTier.open(folder.resolve("pool"), pool));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aSnapshotExistsFromItsCommitOn() throws Exception {
        // given
        SnapshotId snapshot = SnapshotId.random();
        SavePins pins = store.pins();
        byte[] manifest = ManifestJson.write(Manifests.of(snapshot, store(pins, 1, 2)));
        store.writePending(snapshot, manifest);
        assertThat(store.list()).isEmpty();
        // when
        store.commit(snapshot);
        store.commit(snapshot);
        // then
        assertThat(store.list()).containsExactly(snapshot);
        assertThat(store.manifest(snapshot)).isEqualTo(manifest);
        assertThatExceptionOfType(TierException.class).isThrownBy(() -> store.pendingManifest(snapshot));
    }

    @Test
    void aChunkThatIsThereIsNotStoredAgain() throws Exception {
        SavePins first = store.pins();
        store(first, 1, 2, 2);
        assertThat(first.storedChunks()).isEqualTo(2);
        SavePins second = store.pins();
        store(second, 1, 2, 3);
        assertThat(second.storedChunks()).isEqualTo(1);
        assertThat(second.storedBytes()).isEqualTo(1000);
    }

    @Test
    void onlyChunksOfCommittedSnapshotsCountAsProven() throws Exception {
        save(1, 2);
        SavePins unfinished = store.pins();
        store(unfinished, 2, 3);
        assertThat(store.committedChunks()).containsExactlyInAnyOrder(digest(1), digest(2));
    }

    @Test
    void deletionSparesWhatOtherSnapshotsAndRunningSavesName() throws Exception {
        // given
        SnapshotId deleted = save(1, 2, 3, 4);
        save(2);
        SavePins running = store.pins();
        store(running, 3);
        SnapshotId pending = SnapshotId.random();
        SavePins restarted = store.pins();
        store.writePending(pending, ManifestJson.write(Manifests.of(pending, store(restarted, 4))));
        restarted.close();
        // when
        store.delete(deleted);
        // then
        assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(2), digest(3), digest(4));
        assertThat(store.list()).doesNotContain(deleted);
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> store.delete(deleted))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.MISSING));
    }

    @Test
    void anAbandonedSaveTakesOnlyItsOwnChunks() throws Exception {
        // given
        save(1);
        SnapshotId failed = SnapshotId.random();
        SavePins pins = store.pins();
        store.writePending(failed, ManifestJson.write(Manifests.of(failed, store(pins, 1, 2))));
        // when
        store.abandon(failed, pins);
        // then
        assertThat(store.nvme().list()).containsExactly(digest(1));
    }

    @Test
    void anAbandonedSaveOfAnEarlierLifeIsKnownByItsPendingManifest() throws Exception {
        SnapshotId failed = SnapshotId.random();
        SavePins earlier = store.pins();
        store.writePending(failed, ManifestJson.write(Manifests.of(failed, store(earlier, 1, 2))));
        earlier.close();
        // when
        store.abandon(failed, store.pins());
        // then
        assertThat(store.nvme().list()).isEmpty();
    }

    @Test
    void aCommitThatIsGivenUpTakesItsSnapshotAlongAndLetsGoAlsoWhereThatIsInUse() throws Exception {
        for (boolean inUse : new boolean[] {false, true}) {
            // given a commit that was cut off between its two names
            SnapshotId failed = SnapshotId.random();
            SavePins pins = store.pins();
            byte[] manifest = ManifestJson.write(Manifests.of(failed, store(pins, 1, 2)));
            store.writePending(failed, manifest);
            store.commit(failed);
            store.writePending(failed, manifest);
            // when
            if (inUse) {
                try (SnapshotUses.Use reader = store.use(failed).orElseThrow()) {
                    assertThatExceptionOfType(TierException.class)
                            .isThrownBy(() -> store.abandonCommit(failed, pins))
                            .withMessageContaining("in use");
                }
                store.delete(failed);
            } else {
                store.abandonCommit(failed, pins);
            }
            // then
            assertThat(folder.resolve("store/pending")).isEmptyDirectory();
            assertThat(store.list()).isEmpty();
            assertThat(store.nvme().list()).isEmpty();
        }
    }

    @Test
    void aDiskThatIsFullAtWhicheverWriteOfASaveLeavesAllElseAsItWas(@TempDir Path other) throws Exception {
        // given a snapshot on a disk, of which the calls are counted
        AtomicInteger calls = new AtomicInteger(Integer.MAX_VALUE);
        StoreRoot root = FaultyDisk.full(other.resolve("store"), calls);
        MemorySegment pool = Arena.ofAuto().allocate(16 << 20, 4096);
        try (SnapshotStore full =
                new SnapshotStore(root, new NvmeTier(root, 0), MemoryTier.open(other.resolve("pool"), pool))) {
            SnapshotId kept = save(full, 1, 2);
            // when it is full at the first, at the second, and so on, until a save comes to its end before that
            int failures = 0;
            while (full.list().size() == 1) {
                SnapshotId snapshot = SnapshotId.random();
                SavePins pins = full.pins();
                calls.set(failures);
                try {
                    full.writePending(snapshot, ManifestJson.write(Manifests.of(snapshot, store(pins, 2, 3, 4))));
                    full.commit(snapshot);
                    pins.close();
                } catch (TierException e) {
                    failures++;
                    // then it is said, and what it wrote is gone
                    assertThat(e.reason()).as(e.getMessage()).isEqualTo(TierException.Reason.NO_SPACE);
                    full.abandon(snapshot, pins);
                    assertThat(root.temporary()).isEmptyDirectory();
                    assertThat(root.pending()).isEmptyDirectory();
                    assertThat(full.list()).containsExactly(kept);
                    assertThat(full.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2));
                }
            }
            // two chunks, the pending manifest and the other one, each written and then named
            assertThat(failures).isEqualTo(8);
            assertThat(full.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2), digest(3), digest(4));
        }
    }

    @Test
    void whatIsBroughtLeavesTheRoomThatASaveWasPromised() throws Exception {
        // given a save that may fill the disk
        SavePins save = store.pins();
        save.promise(Long.MAX_VALUE / 2);
        SavePins bringing = store.pinsToBring();
        // when
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> store(bringing, 2))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.NO_SPACE))
                .withMessageContaining("promised to saves");
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> store.nvme().requireSpaceToBring(1))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.NO_SPACE));
        store(save, 1);
        // then
        assertThat(store.nvme().list()).containsExactly(digest(1));
        assertThat(store.nvme().usage().freeBytes()).isZero();
        // when it has ended
        save.close();
        store(bringing, 2);
        // then
        assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2));
        bringing.close();
    }

    @Test
    void aSnapshotInUseIsNotDeletedAndOneBeingDeletedNotUsed() throws Exception {
        SnapshotId snapshot = save(1);
        SnapshotUses.Use use = store.use(snapshot).orElseThrow();
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> store.delete(snapshot))
                .withMessageContaining("in use");
        use.close();
        use.close();
        store.delete(snapshot);
        assertThat(store.nvme().list()).isEmpty();
    }

    @Test
    void whileWhatOneManifestNamesIsNotKnownNothingIsSwept() throws Exception {
        // given
        SnapshotId deleted = save(1);
        Path damaged = folder.resolve("store/manifests/" + SnapshotId.random() + ".json");
        Files.writeString(damaged, "{}");
        // when, then
        assertThat(store.delete(deleted)).isZero();
        assertThat(store.nvme().list()).containsExactly(digest(1));
        // given one that a newer daemon wrote
        Files.writeString(damaged, "{\"schema\":\"gpusnap.manifest/99\"}");
        SnapshotId another = save(2);
        SnapshotId kept = save(3);
        // when, then
        assertThat(store.delete(another)).isZero();
        assertThat(store.list()).contains(kept).doesNotContain(another);
        assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2), digest(3));
        assertThat(store.committedChunks()).containsExactly(digest(3));
        assertThatExceptionOfType(ManifestException.class)
                .isThrownBy(() -> store.orphans().look(() -> true))
                .withMessageContaining("gpusnap.manifest/99");
        // when it is gone
        Files.delete(damaged);
        store.delete(kept);
        // then
        assertThat(store.nvme().list()).isEmpty();
        assertThat(folder.resolve("store/deleted")).isEmptyDirectory();
    }

    @Test
    void noChunkIsTakenFromUnderASaveWhateverTheOrder() throws Exception {
        // given savers and deleters at once over a few chunks, seeded
        Set<SnapshotId> committed = ConcurrentHashMap.newKeySet();
        try (ExecutorService executor = Executors.newFixedThreadPool(4)) {
            List<Future<?>> work = new ArrayList<>();
            for (int thread = 0; thread < 4; thread++) {
                Random random = new Random(thread);
                work.add(executor.submit(() -> {
                    for (int round = 0; round < 40; round++) {
                        SnapshotId snapshot = save(random.nextInt(8), random.nextInt(8), random.nextInt(8));
                        if (random.nextBoolean()) {
                            store.delete(snapshot);
                        } else {
                            committed.add(snapshot);
                        }
                    }
                    return null;
                }));
            }
            for (Future<?> future : work) {
                future.get();
            }
        }
        // then every committed snapshot has all of its chunks, and the store nothing else
        Set<ChunkDigest> named = new HashSet<>();
        for (SnapshotId snapshot : committed) {
            for (ChunkRef chunk :
                    ManifestJson.read(store.manifest(snapshot)).chunks().toList()) {
                chunk.content().ifPresent(named::add);
            }
        }
        assertThat(store.nvme().list()).containsExactlyInAnyOrderElementsOf(named);
    }

    @Test
    void aDeletionThatWasCutOffIsEndedByTheNextWhicheverThatIs() throws Exception {
        for (boolean sameAgain : new boolean[] {true, false}) {
            // given two snapshots, and a deletion that gets no further than the name
            SnapshotId deleted = save(1, 2);
            SnapshotId other = save(2);
            Path unreadable = folder.resolve("store/manifests/" + SnapshotId.random() + ".json");
            Files.writeString(unreadable, "{}");
            assertThat(store.delete(deleted)).isZero();
            Files.delete(unreadable);
            assertThat(store.list()).containsExactly(other);
            // when there is another daemon
            store.close();
            open();
            assertThat(store.list()).containsExactly(other);
            assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2));
            if (sameAgain) {
                assertThat(store.delete(deleted)).isEqualTo(1000);
                assertThat(store.nvme().list()).containsExactly(digest(2));
                store.delete(other);
            } else {
                assertThat(store.delete(other)).isEqualTo(2000);
            }
            // then
            assertThat(store.nvme().list()).isEmpty();
            assertThat(folder.resolve("store/deleted")).isEmptyDirectory();
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> store.delete(deleted))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.MISSING));
        }
    }

    @Test
    void whatNothingNamesGoesAtTheSecondLookThatFindsItSo() throws Exception {
        // given what a dead daemon and an undoing that failed left, beside what counts
        save(1);
        SnapshotId pending = SnapshotId.random();
        try (SavePins restarted = store.pins()) {
            store.writePending(pending, ManifestJson.write(Manifests.of(pending, store(restarted, 2))));
        }
        SavePins running = store.pins();
        store(running, 3);
        try (SavePins dead = store.pins()) {
            store(dead, 1, 4, 5);
        }
        // when
        assertThat(store.orphans().look(() -> true)).isZero();
        // then it is marked only
        assertThat(store.orphans().counts()).isEqualTo(new OrphanSweep.Counts(2, 0, 1, 0));
        assertThat(store.nvme().list()).hasSize(5);
        // when
        assertThat(store.orphans().look(() -> true)).isEqualTo(2000);
        // then
        assertThat(store.orphans().counts()).isEqualTo(new OrphanSweep.Counts(0, 2000, 2, 0));
        assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2), digest(3));
        // when the running save ends without a manifest as well
        running.close();
        assertThat(store.orphans().look(() -> true)).isZero();
        assertThat(store.orphans().look(() -> true)).isEqualTo(1000);
    }

    /** Looks as often as it takes until all goes that may, or as often as it would take. */
    private void lookThreeTimes() throws Exception {
        for (int i = 0; i < 3; i++) {
            store.orphans().look(() -> true);
        }
    }

    @Test
    void whatAnUndoingThatFailedLeftPendingGoesOnceNobodyComesBackToIt() throws Exception {
        // given a save that failed, and the store when it is undone
        save(1);
        SnapshotId failed = SnapshotId.random();
        SavePins pins = store.pins();
        store.writePending(failed, ManifestJson.write(Manifests.of(failed, store(pins, 1, 2))));
        Path pending = folder.resolve("store/pending");
        Path aside = folder.resolve("aside");
        Files.move(pending, aside);
        Files.createFile(pending);
        assertThatExceptionOfType(TierException.class).isThrownBy(() -> store.abandon(failed, pins));
        Files.delete(pending);
        Files.move(aside, pending);
        // when
        store.orphans().look(() -> true);
        // then it is only marked
        assertThat(pending).isNotEmptyDirectory();
        lookThreeTimes();
        assertThat(pending).isEmptyDirectory();
        assertThat(store.nvme().list()).containsExactly(digest(1));
    }

    @Test
    void whatAnEarlierDaemonLeftPendingGoesAlsoWhenItIsDamaged() throws Exception {
        for (boolean damaged : new boolean[] {false, true}) {
            SnapshotId left = SnapshotId.random();
            try (SavePins dead = store.pins()) {
                store.writePending(left, ManifestJson.write(Manifests.of(left, store(dead, 2, 3))));
            }
            if (damaged) {
                Files.writeString(folder.resolve("store/pending/" + left + ".json"), "{}");
            }
            store.close();
            open();
            // when the first look fails, as nothing can be known to be unnamed
            if (damaged) {
                assertCorrupt(() -> store.orphans().look(() -> true));
            }
            lookThreeTimes();
            // then
            assertThat(folder.resolve("store/pending")).isEmptyDirectory();
            assertThat(store.nvme().list()).isEmpty();
        }
    }

    private static void assertCorrupt(ThrowableAssert.ThrowingCallable call) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(call)
                .matches(e -> e.reason() == TierException.Reason.CORRUPT);
    }

    @Test
    void aDamagedPendingManifestIsGivenUpLikeAnother() throws Exception {
        SnapshotId failed = SnapshotId.random();
        SavePins pins = store.pins();
        store.writePending(failed, ManifestJson.write(Manifests.of(failed, store(pins, 2))));
        Files.writeString(folder.resolve("store/pending/" + failed + ".json"), "{}");
        assertCorrupt(() -> store.abandon(failed, pins));
        assertThat(folder.resolve("store/pending")).isEmptyDirectory();
        lookThreeTimes();
        assertThat(store.nvme().list()).isEmpty();
    }

    @Test
    void whatIsWrittenAgainBetweenTwoLooksStaysPending() throws Exception {
        // given what a dead daemon left
        SnapshotId snapshot = SnapshotId.random();
        byte[] manifest;
        try (SavePins dead = store.pins()) {
            manifest = ManifestJson.write(Manifests.of(snapshot, store(dead, 2)));
            store.writePending(snapshot, manifest);
        }
        store.close();
        open();
        store.orphans().look(() -> true);
        // when the copy is tried again
        store.writePending(snapshot, manifest);
        lookThreeTimes();
        // then
        store.commit(snapshot);
        assertThat(store.list()).containsExactly(snapshot);
        assertThat(store.nvme().list()).containsExactly(digest(2));
    }

    @Test
    void whatIsNamedOrPinnedAfterItWasMarkedStays() throws Exception {
        try (SavePins dead = store.pins()) {
            store(dead, 1, 2, 3);
        }
        store.orphans().look(() -> true);
        // when a copy is tried again, and a save finds a chunk that it needs
        save(1);
        SavePins running = store.pins();
        store(running, 2);
        store.orphans().look(() -> true);
        // then
        assertThat(store.nvme().list()).containsExactlyInAnyOrder(digest(1), digest(2));
        assertThat(store.orphans().counts().markedChunks()).isZero();
    }

    @Test
    void aLookThatIsToEndLeavesTheRestToTheNext() throws Exception {
        int[] seeds = IntStream.range(0, 100).toArray();
        try (SavePins dead = store.pins()) {
            store(dead, seeds);
        }
        store.orphans().look(() -> true);
        AtomicInteger asked = new AtomicInteger();
        store.orphans().look(() -> asked.incrementAndGet() < 4);
        assertThat(store.nvme().list()).hasSizeBetween(1, 99);
        store.orphans().look(() -> true);
        assertThat(store.nvme().list()).isEmpty();
    }

    @Test
    void aLookEndsADeletionThatWasCutOff() throws Exception {
        // given
        SnapshotId deleted = save(1);
        Path unreadable = folder.resolve("store/manifests/" + SnapshotId.random() + ".json");
        Files.writeString(unreadable, "{}");
        assertThat(store.delete(deleted)).isZero();
        assertCorrupt(() -> store.orphans().look(() -> true));
        assertThat(store.orphans().counts().failedLooks()).isEqualTo(1);
        Files.delete(unreadable);
        // when
        store.orphans().look(() -> true);
        assertThat(folder.resolve("store/deleted")).isNotEmptyDirectory();
        store.orphans().look(() -> true);
        // then
        assertThat(folder.resolve("store/deleted")).isEmptyDirectory();
        assertThat(store.nvme().list()).isEmpty();
    }

    @Test
    void deletersAndSaversAtOnceFreeEachByteOnceAndNothingThatIsNamed() throws Exception {
        for (int round = 0; round < 10; round++) {
            // given snapshots that share chunks, more of them than one step of a sweep takes
            int[] shared = IntStream.range(0, 100).toArray();
            SnapshotId kept = save(0, 1, 2);
            List<SnapshotId> deleted = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                deleted.add(save(shared));
            }
            // when all are deleted at once, some twice, while others are saved
            AtomicLong freedBytes = new AtomicLong();
            List<SnapshotId> saved;
            try (ExecutorService executor = Executors.newFixedThreadPool(8)) {
                List<Future<?>> deleters = new ArrayList<>();
                for (SnapshotId snapshot : Stream.concat(
                                deleted.stream(), deleted.stream().limit(2))
                        .toList()) {
                    deleters.add(executor.submit(() -> {
                        try {
                            freedBytes.addAndGet(store.delete(snapshot));
                        } catch (TierException e) {
                            // the other of the two was first
                            assertThat(e.reason()).isIn(TierException.Reason.MISSING, TierException.Reason.IN_USE);
                        }
                        return null;
                    }));
                }
                Future<SnapshotId> first = executor.submit(() -> save(50, 51, 200));
                Future<SnapshotId> second = executor.submit(() -> save(99, 201));
                for (Future<?> deleter : deleters) {
                    deleter.get();
                }
                saved = List.of(first.get(), second.get());
            }
            // then
            assertThat(store.list()).containsExactlyInAnyOrder(kept, saved.get(0), saved.get(1));
            assertThat(store.nvme().list())
                    .containsExactlyInAnyOrder(
                            digest(0),
                            digest(1),
                            digest(2),
                            digest(50),
                            digest(51),
                            digest(99),
                            digest(200),
                            digest(201));
            // those of the savers may have been freed and written again
            assertThat(freedBytes.get()).isBetween(94_000L, 97_000L);
            assertThat(folder.resolve("store/deleted")).isEmptyDirectory();
            for (SnapshotId snapshot : List.of(kept, saved.get(0), saved.get(1))) {
                store.delete(snapshot);
            }
        }
    }

    private SnapshotId save(int... seeds) throws Exception {
        return save(store, seeds);
    }

    private static SnapshotId save(SnapshotStore store, int... seeds) throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        try (SavePins pins = store.pins()) {
            store.writePending(snapshot, ManifestJson.write(Manifests.of(snapshot, store(pins, seeds))));
            store.commit(snapshot);
        }
        return snapshot;
    }

    private static List<ChunkRef> store(SavePins pins, int... seeds) throws TierException {
        List<ChunkRef> chunks = new ArrayList<>();
        for (int seed : seeds) {
            MemorySegment content = MemorySegment.ofArray(content(seed));
            ChunkRef chunk = new TreeDigester().digest(content);
            pins.store(chunk, content);
            chunks.add(chunk);
        }
        return chunks;
    }

    private static byte[] content(int seed) {
        byte[] content = new byte[1000];
        Arrays.fill(content, (byte) (seed + 1));
        return content;
    }

    private static ChunkDigest digest(int seed) {
        return new TreeDigester()
                .digest(MemorySegment.ofArray(content(seed)))
                .content()
                .orElseThrow();
    }
}
