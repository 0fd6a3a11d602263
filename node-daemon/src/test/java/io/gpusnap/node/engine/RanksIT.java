package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.TcpPort;
import io.gpusnap.node.store.SnapshotId;
import java.net.Socket;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A workload of two CUDA processes that compute together, as the ranks of an NCCL process group do: over shared host memory, a
 * connection, and device memory of each other. What its callbacks end is frozen; what is left is refused, before the workload is
 * touched if it has no callbacks, and after them if it has.
 */
class RanksIT {

    @TempDir
    Path folder;

    private final ExecutorService thawing = Executors.newVirtualThreadPerTaskExecutor();
    private TestNode node;
    private TestWorkload ranks;
    private List<String> before;

    @BeforeEach
    void openNode() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = TestNode.open(folder);
    }

    @AfterEach
    void end() throws Exception {
        thawing.shutdownNow();
        if (ranks != null) {
            ranks.close();
        }
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void ranksThatEndWhatTheyShareAreFrozenTogetherAndComputeTheSameAfterAThaw() throws Exception {
        start("--device", "--spread", "--hooks", "ends");
        assertThat(refusals()).isEmpty();
        // a save that leaves them running
        node.save(EngineId.CRIU_CUDA, ranks, AfterSave.KEEP_RUNNING).succeeded();
        assertThat(answers()).isEqualTo(before);
        // and one that is thawed
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, ranks, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        ranks.end();
        ThawOutcome thawed = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        ranks.became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        assertThat(answers()).isEqualTo(before);
    }

    @Test
    void ranksOnOneGpuAreSuspendedAndResumed() throws Exception {
        start("--device", "--hooks", "ends");
        SnapshotId snapshot = SnapshotId.random();
        node.save(EngineId.SUSPEND, snapshot, ranks.process(), AfterSave.STOP, StageListener.NONE)
                .succeeded();
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(answers()).isEqualTo(before);
    }

    @Test
    void withoutCallbacksSharedDeviceMemoryIsRefusedBeforeAnythingIsTouched() throws Exception {
        start("--device", "--spread");
        for (EngineId engine : List.of(EngineId.CRIU_CUDA, EngineId.SUSPEND)) {
            assertRefused(engine, "preflight", "shares device memory");
        }
        assertThat(refusals()).anyMatch(detail -> detail.contains("quiesce callback"));
    }

    @Test
    void withoutCallbacksAThawThatWouldCutOffACommunicatorIsRefusedBeforeAnythingIsTouched() throws Exception {
        start();
        assertRefused(EngineId.CRIU_CUDA, "preflight", "communicator");
        // a process that stays alive keeps its connections
        SnapshotId snapshot = SnapshotId.random();
        node.save(EngineId.SUSPEND, snapshot, ranks.process(), AfterSave.STOP, StageListener.NONE)
                .succeeded();
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(answers()).isEqualTo(before);
    }

    @Test
    void whatCallbacksLeaveIsRefusedAfterThemAndTheRanksGoOn() throws Exception {
        start("--device", "--hooks", "keeps");
        assertThat(refusals()).isEmpty();
        assertRefused(EngineId.SUSPEND, "quiesce", "shared with other processes");
        ranks.end();
        start("--hooks", "keeps");
        assertRefused(EngineId.CRIU_CUDA, "quiesce", "communicator");
    }

    @Test
    void aPortThatClosingConnectionsHoldIsWaitedForBecauseItsListenerDoesNotSetReuseAddr() throws Exception {
        // given a connection that the process had when it was saved and ended, and whose other end is still there
        int port = TestWorkload.freePort();
        start("--device", "--hooks", "ends", "--kept-port", Integer.toString(port));
        try (Socket other = new Socket("127.0.0.1", port)) {
            SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, ranks, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            ranks.end();
            assertThat(new TcpPort("tcp", "127.0.0.1", port).isHeldByClosingConnections(new ProcFs()))
                    .isTrue();
            // when
            Future<ThawOutcome> thaw = thawing.submit(
                    () -> node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class));
            assertThatExceptionOfType(TimeoutException.class).isThrownBy(() -> thaw.get(2, TimeUnit.SECONDS));
            other.setSoLinger(true, 0);
            other.close();
            // then
            ThawOutcome thawed = thaw.get(60, TimeUnit.SECONDS);
            ranks.became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
            assertThat(answers()).isEqualTo(before);
        }
    }

    private void start(String... arguments) throws Exception {
        ranks = TestWorkload.startRanks(folder.resolve("ranks"), arguments);
        before = answers();
        assertThat(before).doesNotHaveDuplicates();
    }

    private List<String> answers() throws Exception {
        List<String> answers = new ArrayList<>();
        for (int question = 1; question <= 3; question++) {
            answers.add(ranks.answer(Integer.toString(question)));
        }
        return answers;
    }

    private List<String> refusals() {
        return node.engines().workloads().stream()
                .filter(info -> info.process().equals(ranks.process()))
                .flatMap(info -> info.refusals().stream())
                .map(WorkloadInfo.Refusal::detail)
                .toList();
    }

    private void assertRefused(EngineId engine, String stage, String text) throws Exception {
        OperationOutcome.Failed failed =
                node.save(engine, ranks, AfterSave.STOP).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
        assertThat(failed.stage()).contains(stage);
        assertThat(failed.detail()).contains(text);
        assertThat(answers()).isEqualTo(before);
        assertThat(node.engines().snapshots()).isEmpty();
    }
}
