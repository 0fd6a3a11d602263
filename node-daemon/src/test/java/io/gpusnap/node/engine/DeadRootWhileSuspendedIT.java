package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The first process of a workload dies while it is suspended and nothing works on it: nobody would ever resume the others. */
class DeadRootWhileSuspendedIT {

    private static final ProcFs PROC = new ProcFs();

    @TempDir
    Path folder;

    private TestNode node;
    private TestWorkload workload;
    private ProcessId root;
    private ProcessId child;
    private SnapshotId snapshot;

    @BeforeEach
    void aServerWithAnother() throws Exception {
        TestNatives.require();
        node = TestNode.open(folder);
        workload = TestWorkload.startFamily(folder.resolve("workload")).parent();
        root = workload.process();
        List<ProcessId> processes = new ProcessTree(PROC).of(root);
        assertThat(processes).hasSize(2).startsWith(root);
        child = processes.getLast();
    }

    @AfterEach
    void end() throws Exception {
        new ProcessTree(PROC).end(root);
        new ProcessTree(PROC).end(child);
        node.close();
        TestNode.cleanUp(folder);
    }

    private void suspend(SuspendDepth depth) throws Exception {
        snapshot = node.suspend(depth, SnapshotId.random(), root, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
    }

    private void killRoot() {
        ProcessHandle.of(root.pid()).ifPresent(ProcessHandle::destroyForcibly);
        await().until(() -> !PROC.isAlive(root));
    }

    /** Of all that the machine has, what is this test's own. */
    private List<WorkloadInfo> listed() {
        return node.engines().workloads().stream()
                .filter(info -> List.of(root, child).contains(info.process()))
                .toList();
    }

    private void assertNothingIsLeft() {
        await().untilAsserted(() -> {
            assertThat(PROC.isAlive(child)).isFalse();
            assertThat(Folders.list(folder.resolve("state/suspended"))).isEmpty();
        });
        assertThat(listed()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(SuspendDepth.class)
    void whatWaitsWithItIsEnded(SuspendDepth depth) throws Exception {
        node.engines().endLeftBehind();
        suspend(depth);

        killRoot();

        assertNothingIsLeft();
    }

    @Test
    void soItIsWhereItDiedWhileThereWasNoDaemon() throws Exception {
        suspend(SuspendDepth.CONTEXT_KEPT);
        node.close();
        killRoot();
        node = TestNode.open(folder);

        node.engines().endLeftBehind();

        assertNothingIsLeft();
    }

    @Test
    void asLongAsItIsThereTheListSaysWhatItIs() throws Exception {
        suspend(SuspendDepth.CONTEXT_KEPT);
        assertThat(listed())
                .singleElement()
                .satisfies(listed -> assertThat(listed.refusals())
                        .extracting(WorkloadInfo.Refusal::code)
                        .doesNotContain(FailureCode.WORKLOAD_LOST));

        killRoot();

        assertThat(listed()).singleElement().satisfies(listed -> {
            assertThat(listed.process()).isEqualTo(child);
            assertThat(listed.refusals())
                    .first()
                    .isEqualTo(new WorkloadInfo.Refusal(
                            FailureCode.WORKLOAD_LOST,
                            "it is what is left of %s, which was suspended as snapshot %s and has ended: it is ended as well"
                                    .formatted(root, snapshot)));
        });
    }

    @Test
    void onceItRunsAgainTheNamesAreForgotten() throws Exception {
        suspend(SuspendDepth.CONTEXT_KEPT);
        assertThat(Folders.list(folder.resolve("state/suspended"))).hasSize(2);

        node.thaw(EngineId.SUSPEND, snapshot).succeeded();

        assertThat(Folders.list(folder.resolve("state/suspended"))).isEmpty();
    }
}
