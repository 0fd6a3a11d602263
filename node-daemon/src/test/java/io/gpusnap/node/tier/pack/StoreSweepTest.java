package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StoreSweepTest {

    @TempDir
    Path root;

    private NfsStore store;

    @BeforeEach
    void open() throws Exception {
        store = new NfsStore(NfsSettings.of(root, Duration.ofSeconds(20)));
    }

    @Test
    void aMarkThatIsSetAfterItsPackHasGoneGoesWithTheNextSweep() throws Exception {
        // given
        ChunkDigest gone = put(1);
        List<String> condemned = store.list(BlobKey.Folder.PACKS, "").stream()
                .map(pack -> pack.key().path())
                .toList();
        ChunkDigest stays = put(2);
        try (PackTier late = tier();
                PackTier sweeping = tier()) {
            late.refresh();
            sweeping.refresh();
            sweeping.sweep().delete(condemned, () -> {});

            // when
            late.runs(List.of(ChunkRef.of(gone, 3), ChunkRef.of(stays, 3)))
                    .forEach(run -> late.quarantine(run, run.chunks()));
            assertThat(marks()).hasSize(2);
            sweeping.sweep().removeUnfinished(Duration.ofHours(1));

            // then
            assertThat(marks())
                    .singleElement()
                    .satisfies(mark -> assertThat(mark.key().name()).startsWith(stays.hex()));
        }
    }

    @Test
    void aPackThatOnlyTheMapOfARefusedCopyNamesIsNotShared() throws Exception {
        // given a copy that was refused, since what it shares was being swept; of its snapshot there is another copy by
        // now
        byte[] content = {1, 2, 3};
        ChunkRef chunk = ChunkRef.of(put(1), content.length);
        List<String> swept = Stream.of(BlobKey.Folder.INDEXES, BlobKey.Folder.PACKS)
                .flatMap(folder -> names(folder).stream())
                .toList();
        SnapshotId snapshot = SnapshotId.random();
        try (PackTier pushing = tier();
                PackTier other = tier()) {
            pushing.publish(snapshot, new UUID(-1, -1), new byte[] {'m'}, List.of(chunk)); // its map is read last
            pushing.sweep().delete(swept, () -> {});
            push(pushing, snapshot, chunk, content);

            // when another node reads the snapshot, and then the next one comes with the same chunk
            other.refresh();
            other.manifest(snapshot, any -> true);
            List<SharedObject> objects = push(other, SnapshotId.random(), chunk, content);

            // then
            assertThat(objects)
                    .allSatisfy(object -> assertThat(store.find(new BlobKey(object.name())))
                            .as(object.name())
                            .isPresent());
        }
    }

    @Test
    void aPackThatVanishedIsNotSharedThoughItsIndexIsThere() throws Exception {
        byte[] content = {1, 2, 3};
        ChunkRef chunk = ChunkRef.of(put(1), content.length);
        try (PackTier tier = tier()) {
            tier.refresh();
            for (String pack : names(BlobKey.Folder.PACKS)) {
                store.delete(new BlobKey(pack));
            }

            for (int attempt = 0; attempt < 2; attempt++) {
                List<SharedObject> objects = push(tier, SnapshotId.random(), chunk, content);

                assertThat(objects)
                        .allSatisfy(object -> assertThat(store.find(new BlobKey(object.name())))
                                .as(object.name())
                                .isPresent());
            }
        }
    }

    /** The daemon that looked what is there died before it named it. */
    @Test
    void aPackThatVanishedIsNotNamedByTheNextDaemonThoughItsIndexIsThere() throws Exception {
        // given packs that vanished, and a copy that brings their chunks in one of its own
        List<ChunkRef> chunks = new ArrayList<>();
        for (int seed = 0; seed < 8; seed++) {
            chunks.add(ChunkRef.of(put(seed), 3));
        }
        for (String pack : names(BlobKey.Folder.PACKS)) {
            store.delete(new BlobKey(pack));
        }
        UUID copy = UUID.randomUUID();
        try (PackTier before = tier()) {
            bring(before, copy, chunks, chunk -> content(chunks.indexOf(chunk)));
        }

        // when
        List<SharedObject> objects;
        try (PackTier next = tier()) {
            objects = next.publish(SnapshotId.random(), copy, new byte[] {'m'}, chunks);
        }

        // then
        assertThat(objects)
                .allSatisfy(object -> assertThat(store.find(new BlobKey(object.name())))
                        .as(object.name())
                        .isPresent());
    }

    @Test
    void aPackThatIsNotWholeCountsForNothingUntilItIs() throws Exception {
        // given
        ChunkDigest digest = put(1);
        BlobKey pack = new BlobKey(names(BlobKey.Folder.PACKS).getFirst());
        byte[] whole = store.readAll(pack, 100);
        try (PackTier tier = tier()) {
            tier.refresh();
            replace(pack, Arrays.copyOf(whole, whole.length - 1));
            assertThat(tier.writer(UUID.randomUUID()).plan(List.of(ChunkRef.of(digest, 3))))
                    .hasSize(1);

            // when, then
            tier.refresh();
            assertThat(tier.contains(digest, 3)).isFalse();
            replace(pack, whole);
            tier.refresh();
            assertThat(tier.contains(digest, 3)).isTrue();
        }
    }

    @Test
    void aPackThatCameWhileItWasLookedForIsNamedByTheCopyThatLooked() throws Exception {
        // given
        ChunkRef chunk = ChunkRef.of(put(1), 3);
        BlobKey pack = new BlobKey(names(BlobKey.Folder.PACKS).getFirst());
        byte[] bytes = store.readAll(pack, 100);
        try (PackTier tier = tier()) {
            tier.refresh();
            store.delete(pack);
            tier.dropLost(List.of(chunk));
            // when
            store.put(pack, MemorySegment.ofArray(bytes), IfThere.KEEP);
            List<SharedObject> objects =
                    tier.publish(SnapshotId.random(), UUID.randomUUID(), new byte[] {'m'}, List.of(chunk));
            // then
            assertThat(objects).extracting(SharedObject::name).contains(pack.toString());
        }
    }

    private void replace(BlobKey key, byte[] bytes) throws Exception {
        store.delete(key);
        store.put(key, MemorySegment.ofArray(bytes), IfThere.KEEP);
    }

    @Test
    void aPackThatIsBackIsReadAgain() throws Exception {
        byte[] content = {1, 2, 3};
        ChunkRef chunk = ChunkRef.of(put(1), content.length);
        BlobKey pack = new BlobKey(names(BlobKey.Folder.PACKS).getFirst());
        byte[] bytes = store.readAll(pack, 100);
        try (PackTier tier = tier()) {
            store.delete(pack);
            MemorySegment buffer = MemorySegment.ofArray(new byte[content.length]);
            ChunkDigest digest = new ChunkDigest(chunk.digest());
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> tier.read(digest, content.length, buffer))
                    .matches(e -> e.reason() == TierException.Reason.MISSING);
            tier.refresh();
            assertThat(tier.contains(digest, content.length)).isFalse();

            store.put(pack, MemorySegment.ofArray(bytes), IfThere.KEEP);
            tier.refresh();

            assertThat(tier.contains(digest, content.length)).isTrue();
            tier.read(digest, content.length, buffer);
            assertThat(buffer.mismatch(MemorySegment.ofArray(content))).isEqualTo(-1);
        }
    }

    private List<SharedObject> push(PackTier tier, SnapshotId snapshot, ChunkRef chunk, byte[] content)
            throws Exception {
        UUID copy = UUID.randomUUID();
        bring(tier, copy, List.of(chunk), any -> MemorySegment.ofArray(content));
        return tier.publish(snapshot, copy, new byte[] {'m'}, List.of(chunk));
    }

    private static void bring(PackTier tier, UUID copy, List<ChunkRef> chunks, PackWriter.Content content)
            throws Exception {
        tier.refresh();
        PackWriter writer = tier.writer(copy);
        List<PackWriter.Plan> plans = writer.plan(chunks);
        try (PackWriter.Desk desk = writer.desk(plans)) {
            for (PackWriter.Plan plan : plans) {
                desk.write(plan, content);
            }
        }
    }

    private static MemorySegment content(int seed) {
        return MemorySegment.ofArray(new byte[] {(byte) seed, 2, 3});
    }

    private List<String> names(BlobKey.Folder folder) {
        try {
            return store.list(folder, "").stream().map(one -> one.key().path()).toList();
        } catch (TierException e) {
            throw new AssertionError(e);
        }
    }

    private PackTier tier() throws Exception {
        return new PackTier(PackSettings.of("nfs"), store, FrameSettings.none());
    }

    /** A chunk in a pack of its own. */
    private ChunkDigest put(int seed) throws Exception {
        MemorySegment content = content(seed);
        ChunkDigest digest = new TreeDigester().digest(content).content().orElseThrow();
        try (PackTier tier = tier()) {
            tier.put(digest, content);
            tier.sync();
        }
        return digest;
    }

    private List<BlobInfo> marks() throws Exception {
        return store.list(BlobKey.Folder.QUARANTINE, "");
    }
}
