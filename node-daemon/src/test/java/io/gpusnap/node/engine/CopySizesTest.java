package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.tier.pack.CompressionTest;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of a copy whose chunks lie compressed it is told what they take there, not what was saved. */
class CopySizesTest {

    private static final int CHUNK_BYTES = 256 << 10;
    private static final int CHUNKS = 12;
    private static final long SAVED_BYTES = (long) CHUNKS * CHUNK_BYTES;

    @TempDir
    Path folder;

    private final SnapshotId snapshot = SnapshotId.random();
    private String digest = "";

    @BeforeEach
    void givenWeightsOnADiskThatDoesNotCompress() throws Exception {
        TestNatives.require();
        Files.createDirectory(folder.resolve("share"));
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("first"), 16 << 20)) {
            digest = ManifestDigest.of(
                            StoredSnapshot.make(store, snapshot, CHUNKS, i -> CompressionTest.weights(CHUNK_BYTES, i))
                                    .manifest())
                    .hex();
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    private SharedTiers sharing(boolean compressesItsDisk) throws Exception {
        return new SharedTiers(
                Optional.of(SharedPlace.nfs(folder.resolve("share"))),
                Optional.empty(),
                0,
                new TierKeys(
                        "default",
                        Optional.empty(),
                        Compression.PLANES,
                        Optional.empty(),
                        ManifestSigner.none(),
                        false,
                        compressesItsDisk));
    }

    private TransferOutcome transferred(TestNode node, String to) throws Exception {
        return node.transfer(snapshot, to, StageListener.NONE).succeeded().fact(TransferOutcome.class);
    }

    private static long usedBytes(TestNode node, TierKind kind) throws Exception {
        return node.engines().tierStates(true).stream()
                .map(TierState::usage)
                .filter(tier -> tier.kind() == kind)
                .mapToLong(TierUsage::usedBytes)
                .sum();
    }

    private static void assertIsCompressed(long bytes) {
        assertThat(bytes).isBetween(SAVED_BYTES / 2, 7 * SAVED_BYTES / 10);
    }

    private static ScrubOutcome.Finding scrubbed(TestNode node, SnapshotId snapshot, String digest, String tier)
            throws Exception {
        return node.scrub(new ScrubRequest(
                        TierRef.named(tier),
                        List.of(new ScrubRequest.Subject(snapshot, digest)),
                        1L << 40,
                        Traffic.Priority.BACKGROUND))
                .succeeded()
                .fact(ScrubOutcome.class)
                .findings()
                .getFirst();
    }

    @Test
    void whatAPullBringsIsWhatTheDiskHoldsMore() throws Exception {
        try (TestNode first = TestNode.open(folder.resolve("first"), sharing(false))) {
            transferred(first, "nfs");
        }
        try (TestNode second = TestNode.open(folder.resolve("second"), sharing(true))) {
            TransferOutcome pulled = transferred(second, "nvme");
            assertThat(pulled.movedBytes()).isEqualTo(SAVED_BYTES);
            assertThat(pulled.storedBytes()).isEqualTo(usedBytes(second, TierKind.NVME));
            assertIsCompressed(pulled.storedBytes());
            assertThat(pulled.copyBytes()).isEqualTo(pulled.storedBytes());
            // and when nothing is left to bring, the copy takes no less
            TransferOutcome again = transferred(second, "nvme");
            assertThat(again.storedBytes()).isZero();
            assertThat(again.copyBytes()).isEqualTo(pulled.copyBytes());
            assertThat(scrubbed(second, snapshot, digest, "nvme").copyBytes()).isEqualTo(pulled.copyBytes());
        }
    }

    @Test
    void aCopyInASharedStoreTakesItsFrames() throws Exception {
        try (TestNode first = TestNode.open(folder.resolve("first"), sharing(false))) {
            TransferOutcome pushed = transferred(first, "nfs");
            assertThat(pushed.copyBytes()).isEqualTo(usedBytes(first, TierKind.NFS));
            assertIsCompressed(pushed.copyBytes());
            assertThat(scrubbed(first, snapshot, digest, "nfs").copyBytes()).isEqualTo(pushed.copyBytes());
            // the disk that it came from does not compress
            assertThat(scrubbed(first, snapshot, digest, "nvme").copyBytes()).isEqualTo(SAVED_BYTES);
        }
    }

    @Test
    void whatAnImportBringsIsWhatTheDiskHoldsMore() throws Exception {
        Path archive = folder.resolve("archive");
        try (TestNode first = TestNode.open(folder.resolve("first"), sharing(false))) {
            first.export(snapshot, archive, false, StageListener.NONE).succeeded();
        }
        try (TestNode second = TestNode.open(folder.resolve("second"), sharing(true))) {
            TransferOutcome imported = second.bringIn(archive).succeeded().fact(TransferOutcome.class);
            assertThat(imported.storedBytes()).isEqualTo(usedBytes(second, TierKind.NVME));
            assertIsCompressed(imported.storedBytes());
        }
    }
}
