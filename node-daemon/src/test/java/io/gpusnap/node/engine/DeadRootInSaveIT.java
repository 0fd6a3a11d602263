package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first process of a workload dies while all of it stands still: the others have nobody to wait for, and have to go as well. */
class DeadRootInSaveIT {

    private static final ProcFs PROC = new ProcFs();

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private ProcessId root;
    private List<ProcessId> processes = List.of();

    @BeforeEach
    void open() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
    }

    @AfterEach
    void end() throws Exception {
        for (ProcessId process : processes) {
            new ProcessTree(PROC).end(process);
        }
        node.close();
        TestNode.cleanUp(folder);
    }

    /** Whose child is another program, and uses no GPU. */
    private void aServerWithAHelper() throws Exception {
        know(TestWorkload.startWithHelper(folder.resolve("workload")));
    }

    /** Whose child uses a GPU of its own. */
    private void aServerWithAnother() throws Exception {
        know(TestWorkload.startFamily(folder.resolve("workload")).parent());
    }

    private void know(TestWorkload workload) {
        root = workload.process();
        processes = new ProcessTree(PROC).of(root);
        assertThat(processes).hasSize(2).startsWith(root);
    }

    private TestNode.Ended save(EngineId engine, AfterSave afterSave, StageListener listener) throws Exception {
        return node.save(engine, SnapshotId.random(), root, afterSave, listener);
    }

    private void killRoot() {
        ProcessHandle.of(root.pid()).ifPresent(ProcessHandle::destroyForcibly);
        Awaitility.await().until(() -> !PROC.isAlive(root));
    }

    private Runnable killRootOnce() {
        AtomicBoolean once = new AtomicBoolean();
        return () -> {
            if (once.compareAndSet(false, true)) {
                killRoot();
            }
        };
    }

    private void assertNothingLives() {
        assertThat(processes).filteredOn(PROC::isAlive).isEmpty();
    }

    private static void assertIsLost(TestNode.Ended ended) {
        OperationOutcome.Failed failed = ended.failed();
        assertThat(failed.undoProblems()).isEmpty();
        assertThat(ended.log().recall(WorkloadLost.class)).isPresent();
    }

    @Test
    void aServerThatDiesAsItIsToGoOnLeavesNoHelper() throws Exception {
        aServerWithAHelper();
        gpu.before("restore", killRootOnce());

        TestNode.Ended ended = save(EngineId.CRIU_CUDA, AfterSave.KEEP_RUNNING, StageListener.NONE);

        assertThat(ended.failed().code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertIsLost(ended);
        assertNothingLives();
        assertThat(node.engines().snapshots()).isEmpty();
    }

    @Test
    void aSaveThatFailsBecauseTheServerDiesLeavesNoHelper() throws Exception {
        aServerWithAHelper();
        gpu.before("checkpoint", killRootOnce());

        assertIsLost(save(EngineId.CRIU_CUDA, AfterSave.STOP, StageListener.NONE));

        assertNothingLives();
    }

    @Test
    void aServerThatDiesWhenItsMemoryHasLeftTheDeviceLeavesNoOther() throws Exception {
        aServerWithAnother();
        gpu.before("lock", killRootOnce());

        assertIsLost(save(EngineId.SUSPEND, AfterSave.KEEP_RUNNING, StageListener.NONE));

        assertNothingLives();
    }

    @Test
    void aCommitEndsWhatIsLeftOfAServerThatDiedAfterItsDump() throws Exception {
        aServerWithAHelper();

        save(EngineId.CRIU_CUDA, AfterSave.STOP, new StageStarts("store", this::killRoot))
                .succeeded();

        assertNothingLives();
        assertThat(node.engines().snapshots()).hasSize(1);
    }

    @Test
    void ofASuspendedServerThatDiesBeforeItsCommitNoOtherWaits() throws Exception {
        aServerWithAnother();

        save(EngineId.SUSPEND, AfterSave.KEEP_RUNNING, new StageStarts("commit", this::killRoot));

        assertNothingLives();
    }

    @Test
    void aServerThatDiesAsItIsResumedLeavesNoOther() throws Exception {
        aServerWithAnother();
        SnapshotId snapshot = save(EngineId.SUSPEND, AfterSave.KEEP_RUNNING, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        gpu.before("remap", killRootOnce());

        assertIsLost(node.thaw(EngineId.SUSPEND, snapshot));

        assertNothingLives();
    }

    @Test
    void whatADeadDaemonLeftStoppedIsEndedByTheNext() throws Exception {
        aServerWithAHelper();
        node.close();
        DoomedDaemon.live(
                folder,
                "dump",
                StagePoint.RETURNED,
                "save",
                "criu+cuda",
                SnapshotId.random().toString(),
                "STOP",
                Integer.toString(root.pid()),
                Long.toString(root.startTimeTicks()));
        killRoot();
        assertThat(processes).filteredOn(PROC::isAlive).hasSize(1);

        open();
        TestNode.Ended ended = node.recover();

        assertThat(ended.failed().code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertIsLost(ended);
        assertNothingLives();
    }

    @Test
    void whatRunsAgainIsNoMoreOfTheSavesBusiness() throws Exception {
        aServerWithAHelper();

        save(EngineId.CRIU_CUDA, AfterSave.KEEP_RUNNING, new StageStarts("store", this::killRoot))
                .succeeded();

        assertThat(processes).filteredOn(PROC::isAlive).hasSize(1).doesNotContain(root);
    }
}
