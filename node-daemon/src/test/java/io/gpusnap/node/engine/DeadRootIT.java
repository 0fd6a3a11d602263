package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first process of a thaw dies before the thaw has failed: the others, of whatever program, have to go as well. */
class DeadRootIT {

    private static final ProcFs PROC = new ProcFs();

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;
    private SnapshotId snapshot;
    private List<Integer> pids;

    @BeforeEach
    void aSnapshotOfAServerWithAHelper() throws Exception {
        TestNatives.require();
        TestCriu.require();
        open();
        workload = TestWorkload.startWithHelper(folder.resolve("workload"));
        answer = workload.answer("warm");
        pids = new ProcessTree(PROC)
                .of(workload.process()).stream().map(ProcessId::pid).toList();
        assertThat(pids.stream().map(pid -> PROC.link(pid, "exe")).distinct()).hasSize(2);
        snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        workload.end();
        awaitFreePids();
    }

    private void open() throws Exception {
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
    }

    @AfterEach
    void end() throws Exception {
        for (int pid : pids) {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
        }
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void aServerThatEndsAsSoonAsItRunsAgainLeavesNoHelper() throws Exception {
        // given
        AtomicBoolean once = new AtomicBoolean();
        gpu.before("restore", () -> {
            if (once.compareAndSet(false, true)) {
                killRoot();
            }
        });
        // when
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(failed.stage()).contains("driver-restore");
        assertThat(failed.undoProblems()).isEmpty();
        assertNothingLives();
        assertThaws();
    }

    /** As where the kernel ends the process that a dead daemon held ({@link DriverAhead}) and nobody lets its child go on. */
    @Test
    void aHelperThatADeadDaemonLeftStoppedIsEndedByTheNext() throws Exception {
        // given
        node.close();
        DoomedDaemon.live(folder, "fill-host", StagePoint.RETURNED, "thaw", "criu+cuda", snapshot.toString());
        killRoot();
        assertThat(pids).filteredOn(DeadRootIT::lives).hasSize(1);
        // when
        open();
        OperationOutcome.Failed failed = node.recover().failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
        assertThat(failed.undoProblems()).isEmpty();
        assertNothingLives();
        assertThaws();
    }

    @Test
    void aJournalFromBeforeTheTreeWasRememberedIsUndoneAsItWasThen() throws Exception {
        // given
        node.close();
        DoomedDaemon.live(folder, "fill-host", StagePoint.RETURNED, "thaw", "criu+cuda", snapshot.toString());
        withoutTheTree();
        assertThat(pids).allMatch(DeadRootIT::lives);
        // when
        open();
        TestNode.Ended ended = node.recover();
        // then
        assertThat(ended.log().recall(RestoredTree.class)).isEmpty();
        assertThat(ended.failed().code()).isEqualTo(FailureCode.DAEMON_RESTARTED);
        assertThat(ended.failed().undoProblems()).isEmpty();
        assertNothingLives();
        assertThaws();
    }

    private void withoutTheTree() throws Exception {
        Path journal = TestNode.settings(folder, TestNode.POOL_BYTES).stateDir().resolve("journal");
        int without = 0;
        for (Path operation : Folders.list(journal)) {
            Path events = operation.resolve("events.log");
            List<String> lines = Files.readAllLines(events);
            List<String> kept = lines.stream()
                    .filter(line -> !line.contains("RestoredTree"))
                    .toList();
            without += lines.size() - kept.size();
            Files.write(events, kept);
        }
        assertThat(without).isEqualTo(1);
    }

    private void killRoot() {
        int root = pids.getFirst();
        ProcessHandle.of(root).orElseThrow().destroyForcibly();
        Awaitility.await().until(() -> !lives(root));
    }

    private static boolean lives(int pid) {
        return PROC.stat(pid).map(stat -> PROC.isAlive(stat.id())).orElse(false);
    }

    private void assertNothingLives() {
        assertThat(pids).filteredOn(DeadRootIT::lives).isEmpty();
    }

    private void assertThaws() throws Exception {
        awaitFreePids();
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThat(pids).allMatch(DeadRootIT::lives);
    }

    /** Whoever has to may not have reaped them yet. */
    private void awaitFreePids() {
        Awaitility.await()
                .until(() -> pids.stream().noneMatch(pid -> PROC.stat(pid).isPresent()));
    }
}
