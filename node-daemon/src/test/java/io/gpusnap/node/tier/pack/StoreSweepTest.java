package io.gpusnap.node.tier.pack;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.blob.BlobInfo;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
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

    private PackTier tier() throws Exception {
        return new PackTier(PackSettings.of("nfs"), store, FrameSettings.none());
    }

    /** A chunk in a pack of its own. */
    private ChunkDigest put(int seed) throws Exception {
        byte[] content = {(byte) seed, 2, 3};
        ChunkDigest digest = new TreeDigester()
                .digest(MemorySegment.ofArray(content))
                .content()
                .orElseThrow();
        try (PackTier tier = tier()) {
            tier.put(digest, MemorySegment.ofArray(content));
            tier.sync();
        }
        return digest;
    }

    private List<BlobInfo> marks() throws Exception {
        return store.list(BlobKey.Folder.QUARANTINE, "");
    }
}
