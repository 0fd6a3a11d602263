package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory that an application declares rebuildable is in no snapshot, and everything else is. */
class RebuildableIT {

    private static final long CHUNK = EngineSettings.SLOT_BYTES;

    @TempDir
    Path folder;

    private TestNode node;
    private CommandWorkload workload;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        node = TestNode.open(folder);
        workload = CommandWorkload.start(folder);
        workload.tell("alloc dlsym " + 2 * CHUNK);
        workload.tell("fill 0 1");
        workload.tell("alloc dlsym " + 4 * CHUNK);
        workload.tell("fill 1 2");
    }

    @AfterEach
    void end() throws Exception {
        workload.close();
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void aDeclaredPoolIsLeftOutAndComesBackAsFreshMemory() throws Exception {
        // given a pool that is declared but for its first page
        workload.tell("hint 1 4096 " + (4 * CHUNK - 4096) + " kv-cache");
        // when
        SnapshotId snapshot = SnapshotId.random();
        SaveOutcome saved = node.save(
                        EngineId.SUSPEND, snapshot, workload.process(), AfterSave.STOP, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class);
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        // then only whole chunks of it are left out
        assertThat(saved.rebuildableBytes()).isEqualTo(3 * CHUNK);
        assertThat(saved.totals().vramBytes()).isEqualTo(6 * CHUNK);
        assertThat(saved.movedBytes()).isEqualTo(3 * CHUNK);
        assertThat(workload.tell("differs 0 1")).isEqualTo("ok 0");
        // a byte of the pattern in 256 may be zero: what is not rebuilt is nearly all that was
        assertThat(Long.parseLong(workload.tell("differs 1 2").split(" ")[1])).isBetween(3 * CHUNK * 9 / 10, 3 * CHUNK);
    }

    @Test
    void aHintThatIsTakenBackCountsForNothing() throws Exception {
        workload.tell("hint 1 0 " + 4 * CHUNK + " kv-cache");
        workload.tell("keep 1 0");
        SnapshotId snapshot = SnapshotId.random();
        SaveOutcome saved = node.save(
                        EngineId.SUSPEND, snapshot, workload.process(), AfterSave.STOP, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class);
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(saved.rebuildableBytes()).isZero();
        assertThat(workload.tell("differs 1 2")).isEqualTo("ok 0");
    }
}
