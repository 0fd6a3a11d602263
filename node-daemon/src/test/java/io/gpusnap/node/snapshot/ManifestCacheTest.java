package io.gpusnap.node.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.Manifests;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestCacheTest {

    @TempDir
    Path folder;

    private StoreRoot store;
    private ManifestCache cache;

    @BeforeEach
    void open() throws Exception {
        store = StoreRoot.open(folder.resolve("store"));
        cache = new ManifestCache(1 << 20, store.files());
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aFileThatDoesNotChangeIsParsedOnce() throws Exception {
        Path file = write("one", SnapshotId.random());
        ReadManifest first = cache.read(file);
        assertThat(cache.read(file)).isSameAs(first);
        assertThat(cache.heldBytes()).isEqualTo(Files.size(file));
    }

    @Test
    void oneThatSomebodyChangedIsReadAgainHoweverItLooks() throws Exception {
        // given
        SnapshotId before = SnapshotId.random();
        SnapshotId after = SnapshotId.random();
        Path file = write("one", before);
        cache.read(file);
        // when another of the same size takes its name, with the same time of its last change
        Path other = write("other", after);
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
        Files.move(other, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
        // then
        assertThat(cache.read(file).manifest().snapshotId()).isEqualTo(after);
        // when it is damaged, or gone, or no file any more
        Files.writeString(file, "{}");
        assertThatExceptionOfType(ManifestException.class).isThrownBy(() -> cache.read(file));
        Files.delete(file);
        assertMissing(file);
        Files.createSymbolicLink(file, write("target", before));
        assertMissing(file);
    }

    private void assertMissing(Path file) {
        assertThatExceptionOfType(TierException.class)
                .isThrownBy(() -> cache.read(file))
                .satisfies(e -> assertThat(e.reason()).isEqualTo(TierException.Reason.MISSING));
    }

    @Test
    void whatIsWrittenOrCopiedIsKnownWithoutBeingRead() throws Exception {
        Path file = write("one", SnapshotId.random());
        ReadManifest known = ManifestCache.parse(Files.readAllBytes(file));
        cache.written(file, known);
        assertThat(cache.read(file)).isSameAs(known);
        Path copy = Files.copy(file, folder.resolve("copy"));
        cache.copied(file, copy);
        cache.forget(file);
        assertThat(cache.read(copy)).isSameAs(known);
    }

    @Test
    void theLeastRecentlyReadMakeRoomAndWhatIsLargerThanAllOfItIsNotKept() throws Exception {
        // given room for two
        Path one = write("one", SnapshotId.random());
        Path two = write("two", SnapshotId.random());
        Path three = write("three", SnapshotId.random());
        ManifestCache small = new ManifestCache(2 * Files.size(one), store.files());
        ReadManifest first = small.read(one);
        ReadManifest second = small.read(two);
        assertThat(small.read(one)).isSameAs(first);
        // when
        small.read(three);
        // then
        assertThat(small.read(one)).isSameAs(first);
        assertThat(small.read(two)).isNotSameAs(second);
        assertThat(small.heldBytes()).isEqualTo(2 * Files.size(one));
        // and
        ManifestCache none = new ManifestCache(10, store.files());
        none.read(one);
        assertThat(none.heldBytes()).isZero();
    }

    private Path write(String name, SnapshotId snapshot) throws Exception {
        List<ChunkRef> chunks = List.of(new ChunkRef("ab".repeat(32), 1000));
        return Files.write(folder.resolve(name), ManifestJson.write(Manifests.of(snapshot, chunks)));
    }
}
