package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.FailingGpu.Moment;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePoint;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** All that a thaw does, as daemons do it where nothing is said: device memory is made and filled while the process is made again. */
class FillAheadIT extends CriuCudaEngineIT {

    private FailingGpu gpu;

    @Override
    void require() throws Exception {
        TestCriu.require();
    }

    /** A node whose GPU does what it is told. */
    private SnapshotId saved() throws Exception {
        node.close();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        SnapshotId snapshot = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        makeRoom();
        return snapshot;
    }

    private void thawed(SnapshotId snapshot) throws Exception {
        ThawOutcome thaw = node.thaw(engine(), snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(thaw.fillBytesPerSecond()).isPositive();
        assertThatNothingIsHeld();
    }

    /** Calls of a verb during a thaw that succeeds. */
    private int callsInAThaw(String verb, SnapshotId snapshot) throws Exception {
        AtomicInteger calls = new AtomicInteger();
        gpu.before(verb, calls::incrementAndGet);
        thawed(snapshot);
        return calls.get();
    }

    @Test
    void whatIsMadeAheadIsNotFilledAgain() throws Exception {
        assertThat(callsInAThaw("import", saved())).isZero();
    }

    @Test
    void memoryThatWasMadeAheadIsSavedAgainAndKeptRunning() throws Exception {
        thawed(saved());
        // when it goes on after a save
        node.save(engine(), workload, AfterSave.KEEP_RUNNING).succeeded();
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        // and when it ends with one
        SnapshotId second = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        makeRoom();
        thawed(second);
    }

    @Test
    void twoProcessesGetEachItsOwn() throws Exception {
        TestWorkload ranks =
                TestWorkload.startRanks(folder.resolve("ranks"), "--device", "--spread", "--hooks", "ends");
        try {
            String before = ranks.answer("1");
            SnapshotId snapshot = node.save(engine(), ranks, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            ranks.end();
            node.close();
            node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
            AtomicInteger given = new AtomicInteger();
            gpu.before("give-ahead", given::incrementAndGet);
            ThawOutcome thaw = node.thaw(engine(), snapshot).succeeded().fact(ThawOutcome.class);
            ranks.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
            assertThat(given).hasValue(2);
            assertThat(ranks.answer("1")).isEqualTo(before);
        } finally {
            ranks.close();
        }
    }

    @Test
    void aGpuThatIsJustLargeEnoughIsEnough() throws Exception {
        SnapshotId snapshot = saved();
        Manifest manifest = node.engines().manifest(snapshot);
        long needed = Compatibility.vramBytes(manifest, 0);
        AtomicLong free = new AtomicLong(needed + ThawAhead.SPARE_BYTES);
        AtomicInteger made = new AtomicInteger();
        gpu.disguise(real -> FailingGpu.withFreeBytes(real, free.get()));
        gpu.before("ahead", () -> {
            made.incrementAndGet();
            free.set(manifest.device().driverBytes());
        });
        // when what is made ahead and the digests then take their parts
        thawed(snapshot);
        assertThat(made).hasValue(1);
        // and without room for the digests it is filled afterwards
        workload.end();
        free.set(needed);
        thawed(snapshot);
        assertThat(made).hasValue(1);
        // and a byte less is refused before anything is touched
        workload.end();
        free.set(needed - 1);
        OperationOutcome.Failed failed = node.thaw(engine(), snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.INSUFFICIENT_VRAM);
        assertThat(failed.stage()).contains("preflight");
    }

    @Test
    void whatCannotBeMadeOrGivenAheadIsFilledAfterwards() throws Exception {
        SnapshotId snapshot = saved();
        gpu.fail("ahead", Moment.BEFORE, 1, GpuStatus.NO_DEVICE_MEMORY);
        assertThat(callsInAThaw("import", snapshot)).as("nothing was made").isPositive();
        for (Moment moment : Moment.values()) {
            workload.end();
            gpu.fail("give-ahead", moment, 1);
            assertThat(callsInAThaw("import", snapshot)).as("given, %s", moment).isPositive();
            assertThat(gpu.hasFailed()).isTrue();
        }
        workload.end();
        gpu.fail("remap", Moment.BEFORE, 1, GpuStatus.NO_DEVICE_MEMORY);
        assertThat(callsInAThaw("import", snapshot)).as("no room for the rest").isPositive();
        assertThat(gpu.hasFailed()).isTrue();
    }

    @Test
    void whatTheProcessDoesNotTakeIsFilledAfterwards() throws Exception {
        // given one whose driver does not let it have the first of its allocations, and fresh memory full of garbage
        workload.close();
        workload = TestWorkload.start(
                folder.resolve("refused"),
                Map.of("GPUSNAP_SIM_FAIL", "cuMemImportFromShareableHandle@1", "GPUSNAP_SIM_POISON", "1"),
                List.of());
        answer = workload.answer(PROMPT);
        assertThat(callsInAThaw("import", saved())).isPositive();
    }

    @Test
    void whatCannotAllBeMadeAheadIsFilledAfterwards() throws Exception {
        SnapshotId snapshot = saved();
        Path rules = TestNatives.failureRules();
        Files.writeString(rules, "cuMemCreate@2=2\n"); // of several: there is no memory for the second one
        try {
            assertThat(callsInAThaw("import", snapshot)).isPositive();
        } finally {
            Files.delete(rules);
        }
    }

    @Test
    void whatCannotBeFilledAheadFailsTheThawAndNothingIsLeft() throws Exception {
        SnapshotId snapshot = saved();
        long free = freeBytes();
        gpu.fail("copy", Moment.BEFORE, Integer.MAX_VALUE);
        assertThawFailsInTheEnd(snapshot, FailureCode.DRIVER_FAILED, free);
        gpu.healthy();
        gpu.spoilEveryDigest();
        assertThawFailsInTheEnd(snapshot, FailureCode.CHUNK_CORRUPT, free);
        // and the store's copy is as good as ever
        gpu.healthy();
        thawed(snapshot);
    }

    private void assertThawFailsInTheEnd(SnapshotId snapshot, FailureCode code, long free) throws Exception {
        OperationOutcome.Failed failed = node.thaw(engine(), snapshot, Optional.empty(), StageListener.NONE)
                .failed();
        assertThat(failed.code()).isEqualTo(code);
        assertThat(failed.stage()).contains("fill");
        assertThat(failed.undoProblems()).isEmpty();
        assertThat(isAlive(workload.process())).isFalse();
        awaitFreeBytes(free);
        assertThatNothingIsHeld();
    }

    @Test
    void aThawThatFailsHasGivenTheMemoryBackWhenTheProcessIsGone() throws Exception {
        SnapshotId snapshot = saved();
        long free = freeBytes();
        gpu.spoilEveryDigest();
        AtomicBoolean freed = new AtomicBoolean();
        StageListener undone = new StageListener() {
            @Override
            public void reached(OperationSpec spec, String stage, StagePoint point) {
                if (stage.equals("criu-restore") && point == StagePoint.UNDONE) {
                    awaitFreeBytes(free);
                    freed.set(true);
                }
            }
        };
        assertThat(node.thaw(engine(), snapshot, Optional.empty(), undone)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertThat(freed).isTrue();
    }

    @Test
    void aThawThatIsCancelledGivesTheMemoryBack() throws Exception {
        SnapshotId snapshot = saved();
        long free = freeBytes();
        for (String stage : List.of("materialise", "criu-restore", "verify", "driver-restore", "remap", "fill")) {
            assertThat(node.cancelledAt(stage, snapshot).outcome())
                    .as(stage)
                    .isInstanceOf(OperationOutcome.Cancelled.class);
            awaitFreeBytes(free);
            assertThatNothingIsHeld();
        }
        thawed(snapshot);
    }
}
