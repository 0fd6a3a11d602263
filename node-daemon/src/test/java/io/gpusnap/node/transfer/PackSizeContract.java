package io.gpusnap.node.transfer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.FrameSettings;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Packs of another size than their index says: whoever reads them is told that they are wrong, not a byte of them is believed, and
 * where there is a good copy that one is taken. Each test has a store of its own.
 */
abstract class PackSizeContract {

    private static final int CHUNKS = 4;
    private static final int CHUNK_BYTES = 200_000;

    @TempDir
    Path folder;

    /** What became of the packs. */
    enum Size {
        EMPTY {
            @Override
            byte[] of(byte[] pack) {
                return new byte[0];
            }
        },
        CUT {
            @Override
            byte[] of(byte[] pack) {
                return Arrays.copyOf(pack, pack.length - 1);
            }
        },
        LONGER {
            @Override
            byte[] of(byte[] pack) {
                return Arrays.copyOf(pack, pack.length + 1);
            }
        };

        abstract byte[] of(byte[] pack);
    }

    private final List<ChunkRef> chunks = new ArrayList<>();
    private PackTier wrong;
    private PackTier good;
    private SnapshotStore node;

    /** A client of the same store each time. */
    abstract BlobStore store() throws Exception;

    @BeforeEach
    void aStoreAndAnotherOneWithTheSameChunks() throws Exception {
        Path share = Files.createDirectories(folder.resolve("good"));
        good = new PackTier(
                PackSettings.of("good"),
                new NfsStore(NfsSettings.of(share, Duration.ofSeconds(60))),
                FrameSettings.none());
        wrong = tier();
        for (int i = 0; i < CHUNKS; i++) {
            byte[] content = new byte[CHUNK_BYTES + i];
            new Random(i).nextBytes(content);
            ChunkRef chunk = new TreeDigester().digest(MemorySegment.ofArray(content));
            for (PackTier tier : List.of(good, wrong)) {
                tier.put(new ChunkDigest(chunk.digest()), MemorySegment.ofArray(content));
            }
            chunks.add(chunk);
        }
        good.sync();
        wrong.sync();
        wrong.close();
        wrong = tier();
    }

    private PackTier tier() throws Exception {
        return new PackTier(PackSettings.of("wrong"), store(), FrameSettings.none());
    }

    @AfterEach
    void close() {
        if (node != null) {
            node.close();
        }
        wrong.close();
        good.close();
    }

    private void spoil(Size size) throws Exception {
        try (BlobStore store = store()) {
            for (BlobKey pack : store.names(BlobKey.Folder.PACKS)) {
                byte[] spoilt = size.of(store.readAll(pack, 16 << 20));
                // As a medium spoils it, and no writer: an object of this name is written once.
                store.delete(pack);
                store.put(pack, MemorySegment.ofArray(spoilt), BlobStore.IfThere.REPLACE);
            }
        }
    }

    private static final Transfer TRANSFER = new Transfer(1, bytes -> {}, () -> {});

    private Damage pull(PackTier... shared) throws Exception {
        node = StoredSnapshot.open(folder.resolve("node"), shared);
        for (PackTier tier : shared) {
            tier.refresh(); // as the snapshot's map would tell where its chunks lie
        }
        Damage damage = new Damage();
        try (SavePins pins = node.pins()) {
            new SnapshotPull(node, node.sources().telling(damage, new ReadBytes()), pins)
                    .bring(chunks, TRANSFER, new Traffic(0).share(Traffic.Priority.URGENT, 0));
        }
        return damage;
    }

    private void assertIsWhole() throws Exception {
        new Scrub(node.nvme(), Optional.empty(), TRANSFER, new Traffic(0).share(Traffic.Priority.URGENT, 0))
                .read(chunks);
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void aPullTakesTheGoodCopyAndSaysWhichOneIsWrong(Size size) throws Exception {
        spoil(size);
        Damage damage = pull(wrong, good);
        assertIsWhole();
        assertThat(damage.byTier()).containsOnlyKeys("wrong");
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void aPullWithoutAGoodCopyEndsAndStoresNothing(Size size) throws Exception {
        spoil(size);
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> pull(wrong))
                .satisfies(e -> assertThat(e.reason()).isIn(Reason.CORRUPT, Reason.MISSING));
        assertThat(node.nvme().list()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void aThawReadsTheGoodCopyAndSaysWhichOneIsWrong(Size size) throws Exception {
        spoil(size);
        node = StoredSnapshot.open(folder.resolve("node"), wrong, good);
        Damage damage = new Damage();
        ChunkSources sources = node.sources().telling(damage, new ReadBytes());
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        for (ChunkRef chunk : chunks) {
            new VerifiedReader(sources).read(chunk, buffer);
            assertThat(new TreeDigester().digest(buffer.asSlice(0, chunk.sizeBytes())))
                    .isEqualTo(chunk);
        }
        assertThat(damage.byTier()).containsOnlyKeys("wrong");
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void aThawWithoutAGoodCopyIsToldAndGetsNothing(Size size) throws Exception {
        spoil(size);
        node = StoredSnapshot.open(folder.resolve("node"), wrong);
        MemorySegment buffer = Arena.ofAuto().allocate(4 << 20, 4096);
        for (ChunkRef chunk : chunks) {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> new VerifiedReader(node.sources()).read(chunk, buffer))
                    .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
        }
        assertThat(buffer.mismatch(Arena.ofAuto().allocate(4 << 20))).isEqualTo(-1);
    }

    @ParameterizedTest
    @EnumSource(Size.class)
    void aScrubFindsItAndACopyOfItIsBroughtAnew(Size size) throws Exception {
        spoil(size);
        node = StoredSnapshot.open(folder.resolve("node"), wrong, good);
        Scrub scrub =
                new Scrub(node.nvme(), Optional.of(wrong), TRANSFER, new Traffic(0).share(Traffic.Priority.URGENT, 0));
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> scrub.read(chunks))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(Reason.CORRUPT));
        assertThat(wrong.quarantined()).isEqualTo(CHUNKS);
        for (ChunkRef chunk : chunks) {
            assertThat(wrong.contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes()))
                    .isFalse();
        }
    }
}
