package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.FaultyDisk;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.nfs.FaultyFiles;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackRun;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a medium cannot give is damaged where the medium gives the rest; of a medium that gives nothing, nothing is known. */
class ScrubMediumTest {

    private static final int CHUNKS = 3;
    private static final int SIZE_BYTES = 100_000;

    @TempDir
    Path folder;

    private static Scrub scrub(SnapshotStore store, Optional<PackTier> shared) {
        return new Scrub(
                store.nvme(),
                shared,
                new Transfer(1, bytes -> {}, () -> {}),
                new Traffic(0).share(Traffic.Priority.URGENT, 0));
    }

    private static ChunkDigest digest(ChunkRef chunk) {
        return new ChunkDigest(chunk.digest());
    }

    /** A file that is a symbolic link cannot be opened, as one with a bad inode: each read of it is an error of the file system. */
    @Nested
    class OwnStore {

        private void makeUnreadable(Path file) throws IOException {
            Files.move(file, folder.resolve("moved-" + file.getFileName()));
            Files.createSymbolicLink(file, folder.resolve("moved-" + file.getFileName()));
        }

        private Path file(ChunkRef chunk) {
            return folder.resolve("nvme/chunks")
                    .resolve(chunk.digest().substring(0, 2))
                    .resolve(chunk.digest());
        }

        private void assertCorrupt(Scrub scrub, StoredSnapshot stored) {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> scrub.read(stored.chunks()))
                    .withMessageContaining("cannot be read")
                    .withMessageContaining(stored.chunks().getFirst().digest())
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
            assertThat(scrub.readBytes()).isEqualTo((long) CHUNKS * SIZE_BYTES);
        }

        private List<ChunkRef> lacking(StoredSnapshot stored) throws Exception {
            try (SavePins pins = stored.store().pins()) {
                return new SnapshotPull(stored.store(), stored.store().sources(), pins).lacking(stored.chunks());
            }
        }

        @Test
        void aChunkThatCannotBeReadIsDamagedAndTheRestIsRead() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder)) {
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                ChunkRef bad = stored.chunks().getFirst();
                makeUnreadable(file(bad));
                // when, then
                assertCorrupt(scrub(store, Optional.empty()), stored);
                assertThat(folder.resolve("nvme/quarantine").resolve(bad.digest()))
                        .isSymbolicLink();
                assertThat(lacking(stored)).containsExactly(bad);
            }
        }

        /** A regular file of the right size, as one with a bad sector is: looking at its name says nothing. */
        @Test
        void oneThatCannotBeMovedAwayDoesNotCountAsHereUntilItIsStoredAnew() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder)) {
                // given
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                ChunkRef bad = stored.chunks().getFirst();
                byte[] content = Files.readAllBytes(file(bad));
                Files.write(file(bad), new byte[SIZE_BYTES]);
                Files.delete(folder.resolve("nvme/quarantine"));
                Files.createFile(folder.resolve("nvme/quarantine"));
                // when, then
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> scrub(store, Optional.empty()).read(stored.chunks()))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
                assertThat(file(bad)).hasSize(SIZE_BYTES);
                assertThat(lacking(stored)).containsExactly(bad);
                // when it is brought again
                assertThat(store.nvme().put(digest(bad), MemorySegment.ofArray(content)))
                        .isTrue();
                // then
                assertThat(lacking(stored)).isEmpty();
                scrub(store, Optional.empty()).read(stored.chunks());
            }
        }

        @Test
        void whoLooksWhetherAChunkIsHereIsToldThatItIsNot() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder);
                    Buffers buffers = new Buffers()) {
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                makeUnreadable(file(stored.chunks().getFirst()));
                VerifiedReader own = new VerifiedReader(ChunkSources.only(store.nvme()));
                MemorySegment buffer = Transfer.buffer(buffers);

                assertThat(own.isHere(stored.chunks().getFirst(), buffer)).isFalse();
                assertThat(own.isHere(stored.chunks().getLast(), buffer)).isTrue();
            }
        }

        private final Set<Path> bad = new HashSet<>();

        private SnapshotStore withBadPlaces() throws Exception {
            StoreRoot root = FaultyDisk.unreadable(folder.resolve("nvme"), bad);
            MemorySegment pool = Arena.ofAuto().allocate(16 << 20, 4096);
            return new SnapshotStore(root, new NvmeTier(root, 0), MemoryTier.open(folder.resolve("pool"), pool));
        }

        @Test
        void aManifestThatCannotBeReadIsDamagedAndItsCopyCanBeRemoved() throws Exception {
            try (SnapshotStore store = withBadPlaces()) {
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                assertThat(store.manifest(stored.snapshot())).isEqualTo(stored.manifest());
                bad.add(folder.resolve("nvme/manifests/" + stored.snapshot() + ".json"));
                // when, then
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> store.manifest(stored.snapshot()))
                        .withMessageContaining("the manifest of snapshot " + stored.snapshot() + " cannot be read")
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
                store.delete(stored.snapshot());
                assertThat(store.nvme().list()).isEmpty();
            }
        }

        @Test
        void asLongAsNobodyKnowsWhatItNamesNoChunkGoesAndNothingElseIsHeldUp() throws Exception {
            // given one that cannot be read, as a new daemon finds it, another snapshot, and what a daemon left
            StoredSnapshot damaged;
            StoredSnapshot other;
            try (SnapshotStore store = withBadPlaces()) {
                damaged = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                other = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, 2 * SIZE_BYTES);
            }
            bad.add(folder.resolve("nvme/manifests/" + damaged.snapshot() + ".json"));
            try (SnapshotStore store = withBadPlaces()) {
                // when, then
                assertThat(store.committedChunks())
                        .containsExactlyInAnyOrderElementsOf(other.chunks().stream()
                                .map(ScrubMediumTest::digest)
                                .toList());
                assertThat(store.delete(other.snapshot())).isZero();
                assertThat(store.list()).containsExactly(damaged.snapshot());
                for (int look = 0; look < 3; look++) {
                    assertThatExceptionOfType(TierException.class)
                            .isThrownBy(() -> store.orphans().look(() -> true))
                            .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
                }
                assertThat(store.nvme().list()).hasSize(2 * CHUNKS);
                // when the drive gives it again
                bad.clear();
                store.orphans().look(() -> true);
                store.orphans().look(() -> true);
                // then
                assertThat(store.nvme().list())
                        .containsExactlyInAnyOrderElementsOf(damaged.chunks().stream()
                                .map(ScrubMediumTest::digest)
                                .toList());
                store.orphans().look(() -> true);
                assertThat(folder.resolve("nvme/deleted")).isEmptyDirectory();
            }
        }

        @Test
        void aManifestInAStoreThatGivesNothingElseHoldsDeletionsUp() throws Exception {
            StoredSnapshot unread;
            StoredSnapshot other;
            try (SnapshotStore store = withBadPlaces()) {
                unread = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                other = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, 2 * SIZE_BYTES);
            }
            bad.add(folder.resolve("nvme/manifests/" + unread.snapshot() + ".json"));
            try (SnapshotStore store = withBadPlaces()) {
                makeUnreadable(folder.resolve("nvme/VERSION"));

                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> store.delete(other.snapshot()))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> store.read(unread.snapshot()))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
            }
        }

        @Test
        void aManifestInAStoreThatGivesNothingElseIsNotCondemned() throws Exception {
            try (SnapshotStore store = withBadPlaces()) {
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                bad.add(folder.resolve("nvme/manifests/" + stored.snapshot() + ".json"));
                makeUnreadable(folder.resolve("nvme/VERSION"));

                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> store.manifest(stored.snapshot()))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
            }
        }

        @Test
        void aStoreThatGivesNothingElseEitherCondemnsNothing() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder)) {
                StoredSnapshot stored = StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, SIZE_BYTES);
                ChunkRef bad = stored.chunks().getFirst();
                makeUnreadable(file(bad));
                makeUnreadable(folder.resolve("nvme/VERSION"));
                // when, then
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> scrub(store, Optional.empty()).read(stored.chunks()))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
                assertThat(file(bad)).isSymbolicLink();
                assertThat(folder.resolve("nvme/quarantine")).isEmptyDirectory();
            }
        }
    }

    @Nested
    class SharedStore {

        private final FaultyFiles files = new FaultyFiles();
        private final List<ChunkRef> chunks = new ArrayList<>();

        private PackTier onePack() throws Exception {
            PackTier tier = new PackTier(
                    PackSettings.of("nfs"),
                    files.store(Files.createDirectories(folder.resolve("share"))),
                    FrameSettings.none());
            for (int i = 0; i < CHUNKS; i++) {
                byte[] content = new byte[SIZE_BYTES];
                new Random(i).nextBytes(content);
                ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
                tier.put(digest(chunk), MemorySegment.ofArray(content));
                chunks.add(chunk);
            }
            tier.sync();
            tier.refresh();
            assertThat(tier.runs(chunks)).hasSize(1);
            return tier;
        }

        private List<String> marks(PackTier tier) throws Exception {
            return tier.store().list(BlobKey.Folder.QUARANTINE, "").stream()
                    .map(mark -> mark.key().name())
                    .toList();
        }

        @Test
        void aStretchOfAPackThatCannotBeReadIsDamagedAndTheRestIsRead() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder);
                    PackTier tier = onePack()) {
                // given a bad place in the middle of the second chunk
                ChunkRef bad = chunks.get(1);
                PackRun run = tier.runs(List.of(bad)).getFirst();
                long place = run.offset() + run.sizeBytes() / 2;
                files.bad((file, offset, sizeBytes) ->
                        file.toString().contains("/packs/") && offset <= place && place < offset + sizeBytes);
                Scrub scrub = scrub(store, Optional.of(tier));
                // when, then
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> scrub.read(chunks))
                        .withMessageContaining(bad.digest())
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
                assertThat(scrub.readBytes()).isGreaterThanOrEqualTo((long) CHUNKS * SIZE_BYTES);
                assertThat(marks(tier))
                        .singleElement()
                        .satisfies(mark -> assertThat(mark).contains(bad.digest()));
                assertThat(chunks).filteredOn(chunk -> !isThere(tier, chunk)).containsExactly(bad);
            }
        }

        @Test
        void aStoreThatGivesNothingElseEitherCondemnsNothing() throws Exception {
            try (SnapshotStore store = StoredSnapshot.open(folder);
                    PackTier tier = onePack()) {
                files.bad((file, offset, sizeBytes) -> true);
                // when, then
                assertThatExceptionOfType(TierException.class)
                        .isThrownBy(() -> scrub(store, Optional.of(tier)).read(chunks))
                        .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.IO));
                assertThat(marks(tier)).isEmpty();
                assertThat(chunks).allMatch(chunk -> isThere(tier, chunk));
            }
        }

        private static void assertManifest(PackTier tier, SnapshotId snapshot, Reason reason) {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> tier.manifest(snapshot, found -> true))
                    .satisfies(e -> assertThat(e.reason()).as(e.getMessage()).isEqualTo(reason));
        }

        @Test
        void aManifestThatCannotBeReadIsDamagedUntilThereIsAnotherCopy() throws Exception {
            try (PackTier tier = onePack()) {
                // given
                SnapshotId snapshot = SnapshotId.random();
                UUID copy = UUID.randomUUID();
                tier.publish(snapshot, copy, new byte[] {'m'}, chunks);
                files.bad((file, offset, sizeBytes) -> file.endsWith(snapshot + "." + copy + ".json"));
                // when, then
                assertManifest(tier, snapshot, Reason.CORRUPT);
                // when it is repaired, as long as the bad one is not swept
                tier.publish(snapshot, UUID.randomUUID(), new byte[] {'m'}, chunks);
                // then
                assertThat(tier.manifest(snapshot, found -> true)).isEqualTo(new byte[] {'m'});
            }
        }

        @Test
        void oneErrorOfTheMomentCondemnsNoManifestAndABadMapIsNotMissed() throws Exception {
            try (PackTier tier = onePack()) {
                SnapshotId snapshot = SnapshotId.random();
                tier.publish(snapshot, UUID.randomUUID(), new byte[] {'m'}, chunks);
                AtomicInteger left = new AtomicInteger(1);
                files.bad((file, offset, sizeBytes) -> file.toString().endsWith(".map")
                        || file.toString().contains("/snapshots/") && left.getAndDecrement() > 0);

                assertThat(tier.manifest(snapshot, found -> true)).isEqualTo(new byte[] {'m'});
                assertThat(left).hasNonPositiveValue();
            }
        }

        @Test
        void aManifestInAStoreThatGivesNothingElseIsNotCondemned() throws Exception {
            try (PackTier tier = onePack()) {
                SnapshotId snapshot = SnapshotId.random();
                tier.publish(snapshot, UUID.randomUUID(), new byte[] {'m'}, chunks);
                files.bad((file, offset, sizeBytes) -> true);

                assertManifest(tier, snapshot, Reason.IO);
            }
        }

        private static boolean isThere(PackTier tier, ChunkRef chunk) {
            try {
                return tier.contains(digest(chunk), SIZE_BYTES);
            } catch (TierException e) {
                return false;
            }
        }
    }
}
