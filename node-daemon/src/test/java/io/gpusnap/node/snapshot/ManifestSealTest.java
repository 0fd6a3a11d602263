package io.gpusnap.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A manifest that was changed where it lies, and is one all the same. */
class ManifestSealTest {

    @TempDir
    Path folder;

    private final SnapshotId snapshot = SnapshotId.random();
    private byte[] text = new byte[0];

    @BeforeEach
    void givenASnapshot() throws Exception {
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            text = StoredSnapshot.make(store, snapshot, 2, 1000).manifest();
        }
    }

    private Path manifest() {
        return folder.resolve("nvme/manifests/" + snapshot + ".json");
    }

    /** Another digit of a chunk's digest. */
    private byte[] changed() {
        Matcher digest = Pattern.compile("[0-9a-f]{64}").matcher(new String(text, StandardCharsets.UTF_8));
        assertThat(digest.find()).isTrue();
        byte[] other = text.clone();
        other[digest.start()] ^= other[digest.start()] == 'a' ? 2 : 1;
        return other;
    }

    @Test
    void isDamage() throws Exception {
        Files.write(manifest(), changed());
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> store.read(snapshot))
                    .matches(e -> e.reason() == TierException.Reason.CORRUPT);
            assertThatExceptionOfType(TierException.class)
                    .isThrownBy(() -> store.manifest(snapshot))
                    .matches(e -> e.reason() == TierException.Reason.CORRUPT);
        }
    }

    @Test
    void oneWithoutASealIsBelievedAsBefore() throws Exception {
        UserDefinedFileAttributeView view = Files.getFileAttributeView(manifest(), UserDefinedFileAttributeView.class);
        assertThat(view.list()).hasSize(1);
        view.delete(view.list().getFirst());
        Files.write(manifest(), changed());
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20)) {
            assertThat(store.manifest(snapshot)).isEqualTo(changed());
        }
    }
}
