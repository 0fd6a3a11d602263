package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.StoredSnapshot;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Something deletes data keys while a daemon runs that has them in memory: each operation that stores sees to it first. */
class VanishedKeyIT {

    @TempDir
    Path folder;

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("node"));
    }

    private TestNode open() throws Exception {
        return TestNode.open(
                folder.resolve("node"),
                new SharedTiers(
                        Optional.of(SharedPlace.nfs(folder.resolve("share"))),
                        Optional.empty(),
                        0,
                        TestNode.keysOfItsOwnDiskToo()));
    }

    private interface Work {
        void run() throws Exception;
    }

    /** The only key in the folder is deleted, and there again after the work. */
    private static void assertPutBack(Path keys, Work work) throws Exception {
        Path key;
        try (Stream<Path> files = Files.list(keys)) {
            key = files.toList().getFirst();
        }
        byte[] wrapped = Files.readAllBytes(key);
        Files.delete(key);
        work.run();
        assertThat(keys).isDirectoryContaining(key::equals);
        assertThat(key).hasBinaryContent(wrapped);
    }

    private static void save(TestNode node, TestWorkload workload) throws Exception {
        node.save(EngineId.SUSPEND, workload, AfterSave.KEEP_RUNNING).succeeded();
    }

    @Test
    void eachOperationThatStoresPutsTheKeyBack() throws Exception {
        TestNatives.require();
        Files.createDirectory(folder.resolve("share"));
        Path own = folder.resolve("node/nvme/keys");
        Path archive = folder.resolve("archive");
        SnapshotId snapshot = SnapshotId.random();
        try (SnapshotStore store = StoredSnapshot.open(folder.resolve("node"), 16 << 20)) {
            StoredSnapshot.make(store, snapshot, 3, 100_000);
        }
        try (TestNode node = open();
                TestWorkload workload = TestWorkload.start(folder.resolve("workload"))) {
            node.transfer(snapshot, "nfs", StageListener.NONE).succeeded();
            node.transfer(snapshot, "nvme", StageListener.NONE).succeeded();
            node.export(snapshot, archive, false, StageListener.NONE).succeeded();
            // when, then
            assertPutBack(own, () -> save(node, workload));
            assertPutBack(
                    own,
                    () -> node.transfer(snapshot, "nvme", StageListener.NONE).succeeded());
            assertPutBack(own, () -> node.bringIn(archive).succeeded());
            assertPutBack(
                    folder.resolve("share/keys"),
                    () -> node.transfer(snapshot, "nfs", StageListener.NONE).succeeded());
        }
    }
}
