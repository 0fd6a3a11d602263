package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A save of the whole process in which every call on driver and preload fails once, before it is done and after. */
class SaveFailureIT {

    private record Call(String stage, String verb) {}

    private static final List<Call> CALLS_UNTIL_THE_DUMP = List.of(
            new Call("preflight", "driver"),
            new Call("preflight", "open"),
            new Call("preflight", "status"),
            new Call("preflight", "allocations"),
            new Call("preflight", "devices"),
            new Call("quiesce", "open"),
            new Call("quiesce", "quiesce"),
            new Call("quiesce", "gpus"),
            new Call("drain", "import"),
            new Call("drain", "allocations"),
            new Call("drain", "hints"),
            new Call("drain", "digest"),
            new Call("drain", "copy"),
            new Call("release", "unimport"),
            new Call("release", "release"),
            new Call("checkpoint", "devices"),
            new Call("checkpoint", "state"),
            new Call("checkpoint", "lock"),
            new Call("checkpoint", "checkpoint"));

    /** Of the way back of a process that goes on: after its dump, and nothing else has its memory. */
    private static final List<String> VERBS_OF_THE_REVIVE =
            List.of("restore", "unlock", "open", "status", "remap", "allocations", "resume");

    /** And of memory that could not be held for it. */
    private static final List<String> VERBS_OF_THE_REFILL = List.of("import", "copy");

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        workload = TestWorkload.start(folder.resolve("workload"));
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

    private TestNode.Ended save(AfterSave afterSave, String stage, Runnable whenItStarts) throws Exception {
        return node.save(
                EngineId.CRIU_CUDA,
                SnapshotId.random(),
                workload.process(),
                afterSave,
                new StageStarts(stage, whenItStarts));
    }

    @Test
    void aSaveThatFailsOnceAnywhereBeforeItsDumpLeavesTheWorkloadAnswering() throws Exception {
        String answer = workload.answer("warm");
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            for (Call call : CALLS_UNTIL_THE_DUMP) {
                // when
                TestNode.Ended ended = save(AfterSave.STOP, call.stage(), () -> gpu.fail(call.verb(), moment, 1));
                // then
                OperationOutcome.Failed failed = ended.failed();
                assertThat(failed.stage()).as("%s %s", call, moment).contains(call.stage());
                gpu.requireUndone(ended, call + " " + moment);
                assertThat(workload.answer("warm")).as("%s %s", call, moment).isEqualTo(answer);
            }
        }
        assertThat(node.engines().snapshots()).isEmpty();
        // and when all is well
        gpu.healthy();
        node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP).succeeded();
    }

    @Test
    void aReviveThatFailsEndsTheWorkloadAndReportsItLost() throws Exception {
        for (String verb : VERBS_OF_THE_REVIVE) {
            // A dump and a server for each: so each at one moment.
            FailingGpu.Moment moment =
                    VERBS_OF_THE_REVIVE.indexOf(verb) % 2 == 0 ? FailingGpu.Moment.BEFORE : FailingGpu.Moment.AFTER;
            // when only what comes after the dump fails
            assertThatItIsLost(verb, () -> gpu.fail(verb, moment, 1));
        }
    }

    @Test
    void aRefillThatFailsEndsTheWorkloadAndReportsItLost() throws Exception {
        for (String verb : VERBS_OF_THE_REFILL) {
            assertThatItIsLost(verb, () -> {
                gpu.fail("give-back", FailingGpu.Moment.BEFORE, 1);
                gpu.before("remap", () -> gpu.fail(verb, FailingGpu.Moment.BEFORE, 1));
            });
            gpu.before("", () -> {});
        }
    }

    private void assertThatItIsLost(String verb, Runnable whenItRevives) throws Exception {
        if (!workload.isAlive()) {
            workload = TestWorkload.start(folder.resolve("workload-" + verb));
        }
        TestNode.Ended ended = save(AfterSave.KEEP_RUNNING, "revive", whenItRevives);
        assertThat(ended.failed().code()).as("%s: %s", verb, ended.failed()).isEqualTo(FailureCode.WORKLOAD_LOST);
        assertThat(gpu.hasFailed()).as(verb).isTrue();
        assertThat(ended.fact(WorkloadLost.class).reason()).as(verb).contains("because a test says so");
        Awaitility.await(verb).until(() -> !workload.isAlive());
        gpu.healthy();
        assertThat(node.engines().snapshots()).isEmpty();
    }

    @Test
    void memoryThatCouldNotBeGivenBackIsFilledFromThePool() throws Exception {
        String answer = workload.answer("warm");
        SaveOutcome held =
                save(AfterSave.KEEP_RUNNING, "revive", () -> {}).succeeded().fact(SaveOutcome.class);
        // when it fails before it is done
        SaveOutcome filled = save(
                        AfterSave.KEEP_RUNNING, "revive", () -> gpu.fail("give-back", FailingGpu.Moment.BEFORE, 1))
                .succeeded()
                .fact(SaveOutcome.class);
        // then everything crosses the bus, and the workload goes on
        assertThat(filled.movedBytes()).isGreaterThanOrEqualTo(held.movedBytes());
        assertThat(workload.answer("warm")).isEqualTo(answer);

        // when only its answer is lost
        SaveOutcome again = save(
                        AfterSave.KEEP_RUNNING, "revive", () -> gpu.fail("give-back", FailingGpu.Moment.AFTER, 1))
                .succeeded()
                .fact(SaveOutcome.class);
        // then it has its memory back as it was
        assertThat(again.movedBytes()).isLessThan(filled.movedBytes() / 4);
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aSaveThatCannotHoldTheMemoryFailsAndLeavesTheWorkloadAnswering() throws Exception {
        String answer = workload.answer("warm");
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            // when
            TestNode.Ended ended = save(AfterSave.KEEP_RUNNING, "drain", () -> gpu.fail("hold", moment, 1));
            // then
            assertThat(ended.failed().stage()).as("%s", moment).contains("drain");
            gpu.requireUndone(ended, "hold " + moment);
            assertThat(workload.answer("warm")).as("%s", moment).isEqualTo(answer);
        }
    }

    @Test
    void aPoolThatTheDriverDoesNotTakeStopsTheStartWithItsWords() throws Exception {
        Path other = folder.resolve("other");
        for (FailingGpu.Moment moment : FailingGpu.Moment.values()) {
            // when
            Throwable refused = catchThrowable(() -> FailingGpu.node(
                    TestNode.settings(other, 16 << 20),
                    broken -> broken.fail("pool", moment, 1, GpuStatus.NO_HOST_MEMORY)));
            // then
            assertThat(refused).isInstanceOf(StageException.class).hasMessageContaining("because a test says so");
        }
        // and the next start finds everything free
        TestNode.open(TestNode.settings(other, 16 << 20), opening -> opening).close();
        TestNode.cleanUp(other);
    }
}
