package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.Quarantine;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nothing is ever deleted on this node, and yet what a dead daemon left in its store goes. */
class OrphanWatchTest {

    private static final int CHUNKS = 3;

    @TempDir
    Path folder;

    @BeforeEach
    void aDaemonDiesBeforeItsManifest() throws Exception {
        TestNatives.require();
        try (SnapshotStore store = StoredSnapshot.open(folder, 16 << 20);
                SavePins pins = store.pins()) {
            StoredSnapshot.make(store, SnapshotId.random(), CHUNKS, 1000);
            MemorySegment content = MemorySegment.ofArray(new byte[] {1, 2, 3});
            ChunkRef chunk = new TreeDigester().digest(content);
            pins.store(chunk, content);
            store.nvme().sync();
        }
    }

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder);
    }

    private long chunks() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve("nvme/chunks"))) {
            return files.filter(Files::isRegularFile).count();
        }
    }

    private TestNode node(Duration period) throws Exception {
        return TestNode.open(
                TestNode.sweeping(TestNode.settings(folder, TestNode.POOL_BYTES), period), UnaryOperator.identity());
    }

    @Test
    void whatADeadDaemonLeftGoesByItself() throws Exception {
        try (TestNode node = node(Duration.ofMillis(50))) {
            assertThat(chunks()).isEqualTo(CHUNKS + 1);

            node.engines().sweepOrphans();

            await().until(() -> chunks() == CHUNKS);
            await().untilAsserted(() ->
                    assertThat(node.engines().orphans().freedBytes()).isEqualTo(3));
        }
    }

    @Test
    void whatIsInQuarantineForTooLongGoesWithIt() throws Exception {
        Path damaged = Files.writeString(folder.resolve("nvme/quarantine").resolve("ab".repeat(32)), "damaged");
        EngineSettings none = TestNode.keeping(
                TestNode.settings(folder, TestNode.POOL_BYTES), new Quarantine.Limits(Duration.ofDays(1), 0));
        try (TestNode node = TestNode.open(none, UnaryOperator.identity())) {
            node.engines().sweepOrphans();

            await().untilAsserted(() -> assertThat(node.engines().inQuarantine())
                    .isEqualTo(new Quarantine.Counts(0, "damaged".length(), 0)));
            assertThat(damaged).doesNotExist();
        }
    }

    @Test
    void theFirstLookOnlyMarksAndAtItsEndTheNodeCloses() throws Exception {
        try (TestNode node = node(Duration.ofDays(1))) {
            node.engines().sweepOrphans();
            await().until(() -> node.engines().orphans().looks() == 1);
            assertThat(node.engines().orphans().markedChunks()).isEqualTo(1);
        }
        assertThat(chunks()).isEqualTo(CHUNKS + 1);
    }

    @Test
    void nothingThatGoesWrongInOneLookEndsTheOthers() throws Exception {
        Queue<String> looks = new ConcurrentLinkedQueue<>();
        OrphanWatch.Look orphans = goesOn -> failing(looks, "orphans");
        OrphanWatch.Look quarantine = goesOn -> failing(looks, "quarantine");
        try (OrphanWatch watch = new OrphanWatch(orphans, quarantine, Duration.ofMillis(20))) {
            watch.start();
            await().until(() -> looks.size() >= 4);
        }
        assertThat(looks).startsWith("orphans", "quarantine", "orphans", "quarantine");
    }

    private static long failing(Queue<String> looks, String which) {
        looks.add(which);
        throw new IllegalStateException("nobody expects this of a look at " + which);
    }

    @Test
    void aStoreThatCannotBeJudgedIsTriedAgain() throws Exception {
        Path unreadable = Files.writeString(folder.resolve("nvme/manifests/" + SnapshotId.random() + ".json"), "{}");
        try (TestNode node = node(Duration.ofMillis(50))) {
            node.engines().sweepOrphans();
            await().until(() -> node.engines().orphans().failedLooks() > 2);
            assertThat(chunks()).isEqualTo(CHUNKS + 1);

            Files.delete(unreadable);

            await().until(() -> chunks() == CHUNKS);
        }
    }
}
