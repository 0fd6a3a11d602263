package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.PackWriter;
import io.gpusnap.node.tier.pack.SharedObject;
import io.gpusnap.node.tier.pack.WatchedStore;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What other nodes do to a shared store between two steps of one that looks: a good snapshot is never called missing for it. */
class ScrubRaceTest {

    private static final int SIZE_BYTES = 10_000;

    @TempDir
    Path folder;

    private WatchedStore store;
    private PackTier tier;
    private PackTier other;
    private NvmeTier nvme;

    @BeforeEach
    void openTwoNodes() throws Exception {
        Path share = Files.createDirectories(folder.resolve("share"));
        store = new WatchedStore(new NfsStore(NfsSettings.of(share, Duration.ofSeconds(20))));
        tier = new PackTier(PackSettings.of("nfs"), store, FrameSettings.none());
        other = another();
        nvme = new NvmeTier(StoreRoot.open(folder.resolve("nvme")), 0);
    }

    /** A node that has not looked at the store yet. */
    private PackTier another() {
        return new PackTier(
                PackSettings.of("nfs"),
                new NfsStore(NfsSettings.of(folder.resolve("share"), Duration.ofSeconds(20))),
                FrameSettings.none());
    }

    /** By a node that knows of no other pack: as when two push at once. */
    private Pushed pushed() throws Exception {
        try (PackTier node = another()) {
            return push(node, 1);
        }
    }

    @AfterEach
    void close() {
        tier.close();
        other.close();
        nvme.close();
    }

    private record Pushed(SnapshotId snapshot, List<ChunkRef> chunks, List<String> objects) {

        List<String> named(String start) {
            return objects.stream().filter(name -> name.startsWith(start)).toList();
        }
    }

    private static byte[] content(int seed) {
        byte[] content = new byte[SIZE_BYTES];
        new Random(seed).nextBytes(content);
        return content;
    }

    private static ChunkRef ref(byte[] content) {
        return new TreeDigester().digest(MemorySegment.ofArray(content));
    }

    /** One chunk in a pack of its own, also where the store has it. */
    private static Pushed push(PackTier node, int seed) throws Exception {
        byte[] content = content(seed);
        List<ChunkRef> chunks = List.of(ref(content));
        UUID copy = UUID.randomUUID();
        PackWriter writer = node.writer(copy);
        List<PackWriter.Plan> plans = List.of(new PackWriter.Plan(chunks, false));
        try (PackWriter.Desk desk = writer.desk(plans)) {
            desk.write(plans.getFirst(), chunk -> MemorySegment.ofArray(content));
        }
        SnapshotId snapshot = SnapshotId.random();
        List<SharedObject> objects = node.publish(snapshot, copy, new byte[] {'m'}, chunks);
        return new Pushed(
                snapshot, chunks, objects.stream().map(SharedObject::name).toList());
    }

    private void scrub(Pushed pushed) throws Exception {
        tier.manifest(pushed.snapshot(), found -> true);
        new Scrub(
                        nvme,
                        Optional.of(tier),
                        new Transfer(1, bytes -> {}, () -> {}),
                        new Traffic(0).share(Traffic.Priority.URGENT, 0))
                .read(pushed.chunks());
    }

    private void spoil(Pushed pushed) throws Exception {
        Path pack = folder.resolve("share").resolve(pushed.named("packs/").getFirst());
        byte[] bytes = Files.readAllBytes(pack);
        bytes[5000] ^= 1;
        Files.write(pack, bytes);
    }

    private List<String> marks() throws Exception {
        return other.store().list(BlobKey.Folder.QUARANTINE, "").stream()
                .map(mark -> mark.key().name())
                .toList();
    }

    @Test
    void aPackThatComesWhileIndexesAreListedStaysKnown() throws Exception {
        // given a node that looks at the store while it brings a snapshot there itself
        tier.refresh();
        Pushed[] pushed = {null};
        store.after("list indexes/", () -> pushed[0] = push(tier, 1));
        // when
        tier.refresh();
        // then
        ChunkRef chunk = pushed[0].chunks().getFirst();
        assertThat(tier.contains(new ChunkDigest(chunk.digest()), SIZE_BYTES)).isTrue();
        assertThat(tier.runs(pushed[0].chunks())).hasSize(1);
        assertThatCode(() -> scrub(pushed[0])).doesNotThrowAnyException();
    }

    @Test
    void aPackThatWasSweptElsewhereIsNotWrongWhereAnotherOneHasItsChunks() throws Exception {
        // given a chunk in two packs, and a node that knows of the one that nobody needs any more
        Pushed gone = pushed();
        tier.refresh();
        Pushed stays = pushed();
        assertThat(stays.named("packs/")).doesNotContainAnyElementsOf(gone.named("packs/"));
        other.sweep().delete(gone.objects(), () -> {});
        // when, then
        scrub(stays);
        assertThat(marks()).isEmpty();
    }

    @Test
    void aPackThatIsSweptBetweenMapAndReadIsLookedForAnew() throws Exception {
        // given a scrub whose snapshot is copied anew, and its old copy swept, once it has read the old map
        Pushed old = pushed();
        store.after("read snapshots/" + old.snapshot(), () -> {
            pushed();
            other.sweep().delete(old.objects(), () -> {});
        });
        // when, then
        assertThatCode(() -> scrub(old)).doesNotThrowAnyException();
        assertThat(marks()).isEmpty();
    }

    @Test
    void whatIsNowhereIsMissing() throws Exception {
        Pushed lost = pushed();
        other.sweep().delete(lost.named("packs/"), () -> {});
        other.sweep().delete(lost.named("indexes/"), () -> {});
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> scrub(lost))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.MISSING));
    }

    @Test
    void thePlaceThatWasReadIsCondemnedAndNotWhereTheChunkLiesNow() throws Exception {
        // given a chunk that is spoilt in a pack which is swept while it is read
        Pushed spoilt = pushed();
        Pushed good = pushed();
        spoil(spoilt);
        tier.refresh();
        tier.manifest(spoilt.snapshot(), found -> true);
        store.after("read packs/", () -> tier.sweep().delete(spoilt.named("indexes/"), () -> {}));
        // when
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> new Scrub(
                                nvme,
                                Optional.of(tier),
                                new Transfer(1, bytes -> {}, () -> {}),
                                new Traffic(0).share(Traffic.Priority.URGENT, 0))
                        .read(spoilt.chunks()));
        // then
        String name = spoilt.named("indexes/").getFirst().substring("indexes/".length());
        assertThat(marks()).singleElement().satisfies(mark -> assertThat(mark).endsWith(name));
        assertThatCode(() -> scrub(good)).doesNotThrowAnyException();
    }

    @Test
    void aChunkThatIsWrongInOnePackIsReadFromTheNext() throws Exception {
        Pushed good = pushed();
        Pushed spoilt = pushed();
        spoil(spoilt);
        tier.manifest(good.snapshot(), found -> true);
        tier.manifest(spoilt.snapshot(), found -> true);
        // when
        ChunkSources sources = ChunkSources.of(nvme, List.of(tier));
        try (Buffers buffers = new Buffers()) {
            MemorySegment buffer = Transfer.buffer(buffers);
            new VerifiedReader(sources).read(ref(content(1)), buffer);
            // then
            assertThat(buffer.asSlice(0, SIZE_BYTES).mismatch(MemorySegment.ofArray(content(1))))
                    .isEqualTo(-1);
        }
        assertThat(marks()).hasSize(1);
        // and whoever keeps track of copies hears of it
        assertThat(sources.damage().byTier()).containsKey("nfs");
    }
}
