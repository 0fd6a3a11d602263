package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.ProcessState;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A suspend that leaves the process its CUDA context: only its managed memory goes, and comes back. */
class KeptContextIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        openNode();
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer("warm");
    }

    private void openNode() throws Exception {
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        TestNode.cleanUp(folder);
    }

    @Test
    void anotherDaemonResumesItAndTheDriverIsNotAsked() throws Exception {
        // given
        SaveOutcome save = suspended(SnapshotId.random());
        assertThat(save.stageSeconds().keySet()).contains("release", "store").doesNotContain("checkpoint");
        assertThat(save.pauseSeconds()).isPositive();
        assertThat(gpu.state(workload.process().pid())).isEqualTo(ProcessState.RUNNING);
        assertThat(node.engines().manifest(save.snapshot()).device().driverBytes())
                .isZero();
        node.close();
        openNode();
        // when the driver could not restore anything
        gpu.fail("restore", FailingGpu.Moment.BEFORE, Integer.MAX_VALUE);
        node.thaw(EngineId.SUSPEND, save.snapshot()).succeeded();
        // then
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aSuspendThatFailsLateGivesItsMemoryBack() throws Exception {
        for (String stage : new String[] {"store", "verify", "commit"}) {
            TestNode.Ended ended = node.suspend(
                    SuspendDepth.CONTEXT_KEPT, SnapshotId.random(), workload.process(), new StageStarts(stage, () -> {
                        throw new IllegalStateException("made to fail");
                    }));
            assertThat(ended.failed().stage()).contains(stage);
            assertThat(ended.failed().undoProblems()).as(stage).isEmpty();
            assertThat(workload.answer("warm")).as(stage).isEqualTo(answer);
        }
        assertThat(node.engines().snapshots()).isEmpty();
        // what the pool still has of those is in no store any more, and the next save does not count on it
        SnapshotId snapshot = suspended(SnapshotId.random()).snapshot();
        assertThat(node.verify(snapshot).outcome()).isInstanceOf(OperationOutcome.Succeeded.class);
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aResumeThatFailsBeforeItsMemoryIsMappedLeavesItWaitingWithItsContext() throws Exception {
        // given
        SnapshotId snapshot = suspended(SnapshotId.random()).snapshot();
        gpu.fail("remap", FailingGpu.Moment.BEFORE, 1);
        // when
        TestNode.Ended ended = node.thaw(EngineId.SUSPEND, snapshot);
        // then
        assertThat(ended.failed().code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(ended.failed().undoProblems()).isEmpty();
        assertThat(ended.log().recall(WorkloadLost.class)).isEmpty();
        assertThat(gpu.state(workload.process().pid())).isEqualTo(ProcessState.RUNNING);
        // when
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    private SaveOutcome suspended(SnapshotId snapshot) throws Exception {
        return node.suspend(SuspendDepth.CONTEXT_KEPT, snapshot, workload.process(), StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class);
    }
}
