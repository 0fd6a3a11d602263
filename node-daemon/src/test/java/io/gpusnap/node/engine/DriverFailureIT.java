package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every verb of driver and preload fails once, before it is done and after; or always. */
class DriverFailureIT {

    private static final List<String> SAVE_VERBS =
            List.of("quiesce", "import", "digest", "copy", "unimport", "release", "lock", "checkpoint");
    private static final List<String> THAW_VERBS = List.of(
            "driver",
            "devices",
            "state",
            "restore",
            "unlock",
            "open",
            "status",
            "remap",
            "import",
            "allocations",
            "fill-zero",
            "digest",
            "copy",
            "resume");

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer("warm");
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
    void aSaveThatFailsOnceAnywhereLeavesTheWorkloadAnswering() throws Exception {
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (String verb : SAVE_VERBS) {
                // given
                gpu.fail(verb, moment, 1);
                // when
                TestNode.Ended ended = node.save(EngineId.SUSPEND, workload, AfterSave.STOP);
                // then
                gpu.requireUndone(ended, verb + " " + moment);
                assertThat(workload.answer("warm")).as("%s %s", verb, moment).isEqualTo(answer);
            }
        }
        assertThat(node.engines().snapshots()).isEmpty();
        gpu.healthy();
        node.save(EngineId.SUSPEND, workload, AfterSave.STOP).succeeded();
    }

    @Test
    void aWayBackThatFailsEndsTheWorkloadAndReportsItLost() throws Exception {
        // given a save that fails at its last step before the store, and a driver that never restores
        TestNode.Ended saved =
                node.save(EngineId.SUSPEND, workload, AfterSave.STOP).succeeded();
        gpu.fail("restore", FailingGpu.Moment.BEFORE, Integer.MAX_VALUE);
        // when
        TestNode.Ended ended =
                node.thaw(EngineId.SUSPEND, saved.fact(SaveOutcome.class).snapshot());
        // then a process that is frozen as before is kept
        assertThat(ended.failed().code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(ended.log().recall(WorkloadLost.class)).isEmpty();
        assertThat(workload.isAlive()).isTrue();

        // when the driver restores again, the resume fails later, and memory cannot be given back
        gpu.healthy();
        ended = node.thaw(
                EngineId.SUSPEND,
                saved.fact(SaveOutcome.class).snapshot(),
                Optional.empty(),
                new StageStarts("fill", () -> {
                    gpu.fail("release", FailingGpu.Moment.BEFORE, Integer.MAX_VALUE);
                    throw new IllegalStateException("made to fail");
                }));
        // then
        assertThat(ended.failed().code()).isEqualTo(FailureCode.INTERNAL);
        assertThat(ended.fact(WorkloadLost.class).reason()).contains("release fails");
        assertThat(workload.isAlive()).isFalse();
    }

    @Test
    void aDriverCallThatNeverComesBackCostsOneWorkloadAndNotTheGpu() throws Exception {
        node.close();
        node = FailingGpu.node(
                TestNode.impatient(TestNode.settings(folder, TestNode.POOL_BYTES), Duration.ofSeconds(1)),
                made -> gpu = made);
        TestNode.Ended saved =
                node.save(EngineId.CRIU_CUDA, workload, AfterSave.KEEP_RUNNING).succeeded();
        SnapshotId snapshot = saved.fact(SaveOutcome.class).snapshot();

        // when a checkpoint hangs
        gpu.hang("checkpoint");
        TestNode.Ended ended = node.save(EngineId.SUSPEND, workload, AfterSave.STOP);
        // then its workload is reported lost
        assertThat(ended.failed().detail()).contains("cuda.callLimitSeconds");
        assertThat(ended.fact(WorkloadLost.class).reason()).contains("ended");
        assertThat(workload.isAlive()).isFalse();

        // when a restore hangs
        gpu.hang("restore");
        ended = node.thaw(EngineId.CRIU_CUDA, snapshot);
        // then it fails, and what it had begun is gone
        assertThat(ended.failed().code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(ended.failed().undoProblems()).isEmpty();

        // and the next one works
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aResumeThatFailsOnceKeepsTheFrozenProcess() throws Exception {
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (String verb : List.of("restore", "unlock", "remap", "import", "fill-zero", "copy")) {
                gpu.fail(verb, moment, 1);
                TestNode.Ended ended = node.thaw(EngineId.SUSPEND, snapshot);
                assertThat(ended.failed().code()).as("%s %s", verb, moment).isEqualTo(FailureCode.DRIVER_FAILED);
                assertThat(ended.failed().undoProblems())
                        .as("%s %s", verb, moment)
                        .isEmpty();
                assertThat(ended.log().recall(WorkloadLost.class))
                        .as("%s %s", verb, moment)
                        .isEmpty();
            }
        }
        gpu.healthy();
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void memoryThatStopsArrivingHalfWayFailsWhatWaitsForIt() throws Exception {
        // given room for it, and nothing that comes
        gpu.failAfter("import", 1);
        // when
        OperationOutcome.Failed save =
                node.save(EngineId.SUSPEND, workload, AfterSave.STOP).failed();
        // then
        assertThat(save.code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(save.stage()).contains("drain");
        assertThat(save.undoProblems()).isEmpty();
        assertThat(workload.answer("warm")).isEqualTo(answer);
        // and the same on the way back
        gpu.healthy();
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        gpu.failAfter("import", 1);
        TestNode.Ended thaw = node.thaw(EngineId.SUSPEND, snapshot);
        assertThat(thaw.failed().code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(thaw.failed().stage()).contains("fill");
        assertThat(thaw.log().recall(WorkloadLost.class)).isEmpty();
        gpu.healthy();
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aProcessThatDiesAsSoonAsItRunsAgainIsToldFromADriverThatFails() throws Exception {
        TestCriu.require();
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        int pid = workload.process().pid();
        // The driver's call fails first, as it does where the process is on its way out.
        gpu.before(
                "restore",
                () -> CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS)
                        .execute(() -> ProcessHandle.of(pid).orElseThrow().destroyForcibly()));
        gpu.fail("restore", FailingGpu.Moment.BEFORE, 1);
        // when
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(failed.detail()).contains("process " + pid).contains("as soon as it ran again");
        assertThat(failed.undoProblems()).isEmpty();
    }

    @Test
    void memoryThatIsNotLetGoBehindTheOpenGateCostsTheProcessNothing() throws Exception {
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        gpu.fail("unimport", FailingGpu.Moment.BEFORE, 1);
        // when
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        // then
        assertThat(gpu.hasFailed()).isTrue();
        assertThat(workload.answer("warm")).isEqualTo(answer);
        // and it can be saved again, which takes the connection and all of its memory
        gpu.healthy();
        node.save(EngineId.SUSPEND, workload, AfterSave.STOP).succeeded();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aThawThatFailsAnywhereLeavesNoProcessAndNoMemory(boolean ahead) throws Exception {
        TestCriu.require();
        if (!ahead) {
            node.close();
            TestNode.fillAfter(folder);
            node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        }
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        int pid = workload.process().pid();
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (String verb : THAW_VERBS) {
                if (verb.equals("resume") && moment == FailingGpu.Moment.AFTER) {
                    continue; // the gate is open: that is a success whose answer was lost
                }
                if (ahead && verb.equals("import")) {
                    continue; // what was made ahead is here already
                }
                String what = verb + " " + moment;
                gpu.fail(verb, moment, 1);
                // when
                TestNode.Ended ended = node.thaw(EngineId.CRIU_CUDA, snapshot);
                // then
                assertThat(gpu.hasFailed()).as(what).isTrue();
                OperationOutcome.Failed failed = ended.failed();
                assertThat(failed.code()).as("%s: %s", what, failed.detail()).isEqualTo(FailureCode.DRIVER_FAILED);
                assertThat(failed.undoProblems()).as(what).isEmpty();
                assertThat(new ProcFs().stat(pid).filter(stat -> !stat.isDead()))
                        .as(what)
                        .isEmpty();
            }
        }
        // when all is well again
        gpu.healthy();
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aCopyThatDoesNotArriveAsItWasIsReadAgainFromTheStore() throws Exception {
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        // given a byte of the pool that flips after it was verified
        gpu.spoilNextCopy();
        // when
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        // then
        assertThat(gpu.hasSpoilt()).isTrue();
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void memoryThatCannotBeMadeWhatItWasNeverRuns() throws Exception {
        TestCriu.require();
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        int pid = workload.process().pid();
        // given a device that never holds what it was given
        gpu.spoilEveryDigest();
        // when, then
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertThat(failed.stage()).contains("fill");
        assertThat(failed.undoProblems()).isEmpty();
        assertThat(new ProcFs().stat(pid).filter(stat -> !stat.isDead())).isEmpty();
        // when it is well again, the snapshot is as good as before
        gpu.healthy();
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }
}
