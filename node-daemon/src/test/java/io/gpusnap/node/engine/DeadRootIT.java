package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
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

    private final StartedContainers containers = new StartedContainers();
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
        containers.end();
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

    @Test
    void inAContainerTheOthersEndAndTheServiceStartsCold() throws Exception {
        // given
        TestContainer first = containers.startWithHelper(folder, TestContainer.Setup.pod("web-0", "10.4.0.7"));
        String before = first.awaitReady().answer("warm");
        SnapshotId inside = node.save(
                        EngineId.CRIU_CUDA, SnapshotId.random(), first.workload(), AfterSave.STOP, StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        containers.end();
        TestContainer second = waiting();
        List<ProcessId> restored = new CopyOnWriteArrayList<>();
        Thread ended = Thread.ofVirtual().unstarted(() -> {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(60))
                    .until(() -> restored.stream().noneMatch(PROC::isAlive));
            signal("CONT", second.init());
        });
        gpu.before("restore", () -> {
            if (restored.isEmpty()) {
                restored.addAll(new ProcessTree(PROC).of(second.workload()));
                signal("STOP", second.init()); // it would end the others as well, when it starts cold
                kill(second.workload().pid());
                ended.start();
            }
        });
        // when
        OperationOutcome.Failed failed =
                node.thawInto(second.ref(), inside, StageListener.NONE).failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(failed.undoProblems()).isEmpty();
        assertThat(restored).hasSize(2).noneMatch(PROC::isAlive);
        ended.join();
        assertThat(second.awaitState(PlaceholderState.RUNNING).awaitReady().answer("warm"))
                .isNotEqualTo(before);
        // and another container takes the snapshot
        TestContainer third = waiting();
        node.thawInto(third.ref(), inside, StageListener.NONE).succeeded();
        assertThat(third.answer("warm")).isEqualTo(before);
    }

    private static void signal(String name, ProcessId process) {
        try {
            new ProcessBuilder("kill", "-" + name, Integer.toString(process.pid()))
                    .start()
                    .waitFor();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private TestContainer waiting() throws Exception {
        return containers
                .startWithHelper(
                        folder, TestContainer.Setup.pod("web-1", "10.4.0.8").waiting())
                .awaitState(PlaceholderState.WAITING);
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
        kill(pids.getFirst());
    }

    private static void kill(int pid) {
        ProcessHandle.of(pid).orElseThrow().destroyForcibly();
        Awaitility.await().until(() -> !lives(pid));
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
