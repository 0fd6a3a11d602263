package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that leaves a node in a file and goes on on another, with real CRIU. */
class ArchiveIT {

    @TempDir
    Path folder;

    @AfterEach
    void cleanUp() throws Exception {
        TestNode.cleanUp(folder.resolve("first"));
        TestNode.cleanUp(folder.resolve("second"));
    }

    @Test
    void aProcessThawsOnANodeThatHadNothingButTheArchive() throws Exception {
        // given a snapshot of a process that is gone
        TestNatives.require();
        TestCriu.require();
        Path archive = folder.resolve("snapshot.tar");
        try (TestWorkload workload = TestWorkload.start(folder.resolve("workload"))) {
            String answer = workload.answer("warm");
            SnapshotId snapshot;
            try (TestNode first = TestNode.open(folder.resolve("first"))) {
                snapshot = first.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                        .succeeded()
                        .fact(SaveOutcome.class)
                        .snapshot();
                Awaitility.await().until(() -> !new ProcFs().isAlive(workload.process()));
                // when
                first.export(snapshot, archive, false, StageListener.NONE).succeeded();
            }
            try (TestNode second = TestNode.open(folder.resolve("second"))) {
                second.bringIn(archive).succeeded();
                ThawOutcome thaw = second.thaw(EngineId.CRIU_CUDA, snapshot, Optional.empty(), StageListener.NONE)
                        .succeeded()
                        .fact(ThawOutcome.class);
                workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
                // then
                assertThat(workload.answer("warm")).isEqualTo(answer);
            }
        }
    }
}
