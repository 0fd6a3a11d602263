package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The keys of a node whose own disk is encrypted. */
class KeyChainsTest {

    @TempDir
    Path folder;

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder);
    }

    @Test
    void aKeyIsNotShownAsUnusedWhileAManifestDoesNotSayWhatItsChunksAre() throws Exception {
        TestNatives.require();
        SnapshotId snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            StoredSnapshot.make(store, snapshot, 3, 100_000);
        }
        SharedTiers sealed = new SharedTiers(Optional.empty(), Optional.empty(), 0, TestNode.keysOfItsOwnDiskToo());
        try (TestNode node = TestNode.open(folder, sealed)) {
            assertThat(node.engines().keys().list(Optional.empty())).isEmpty();
            // when
            Files.writeString(folder.resolve("nvme/manifests/" + snapshot + ".json"), "{");
            // then
            KeyChains keys = node.engines().keys();
            assertThatExceptionOfType(StageException.class)
                    .isThrownBy(() -> keys.list(Optional.empty()))
                    .matches(e -> e.code() == FailureCode.CHUNK_CORRUPT)
                    .withMessageContaining(snapshot.toString());
        }
    }
}
