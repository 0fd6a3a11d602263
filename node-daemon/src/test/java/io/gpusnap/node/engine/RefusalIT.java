package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What cannot work is refused with a typed reason in preflight, and nothing has changed. */
class RefusalIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;

    @BeforeEach
    void openNode() throws Exception {
        TestNatives.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
    }

    @AfterEach
    void closeAll() throws Exception {
        if (workload != null) {
            workload.close();
        }
        node.close();
        TestNode.cleanUp(folder);
        TestNode.cleanUp(folder.resolve("other"));
    }

    @Test
    void aWorkloadWithoutThePreloadIsNotManaged() throws Exception {
        start(Map.of("LD_PRELOAD", ""));
        assertSaveRefused(EngineId.SUSPEND, FailureCode.WORKLOAD_NOT_MANAGED, "LD_PRELOAD");
        // and the same is told of it beforehand
        assertThat(node.engines().workloads())
                .filteredOn(info -> info.process().equals(workload.process()))
                .singleElement()
                .satisfies(info -> {
                    assertThat(info.state()).isEqualTo(WorkloadInfo.State.UNKNOWN);
                    assertThat(info.refusals())
                            .extracting(WorkloadInfo.Refusal::code)
                            .containsExactly(FailureCode.WORKLOAD_NOT_MANAGED);
                });
    }

    @Test
    void aWorkloadThatIsFineIsListedWithoutRefusals() throws Exception {
        start(Map.of());
        assertThat(node.engines().workloads())
                .filteredOn(info -> info.process().equals(workload.process()))
                .singleElement()
                .satisfies(info -> {
                    assertThat(info.state()).isEqualTo(WorkloadInfo.State.RUNNING);
                    assertThat(info.name()).isEqualTo("test-server");
                    assertThat(info.refusals()).isEmpty();
                    assertThat(info.managedBytes()).isGreaterThan(48L << 20);
                    assertThat(info.allocations()).isPositive();
                    assertThat(info.listeningPorts()).containsExactly(workload.port());
                });
    }

    @Test
    void migIsRefused() throws Exception {
        start(Map.of("GPUSNAP_SIM_NAME", "Simulated H100 MIG 1g.10gb"));
        assertSaveRefused(EngineId.SUSPEND, FailureCode.WORKLOAD_UNSUPPORTED, "MIG");
    }

    @Test
    void managedMemoryIsRefusedAsLongAsItLives() throws Exception {
        try (CommandWorkload managed = CommandWorkload.start(folder)) {
            managed.tell("alloc managed 5000000");
            OperationOutcome.Failed failed = node.save(
                            EngineId.SUSPEND,
                            SnapshotId.random(),
                            managed.process(),
                            AfterSave.STOP,
                            StageListener.NONE)
                    .failed();
            assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
            assertThat(failed.detail()).contains("managed memory");
            assertThat(failed.stage()).contains("preflight");
            managed.tell("free 0");
            managed.tell("alloc dlsym 8000000");
            node.save(EngineId.SUSPEND, SnapshotId.random(), managed.process(), AfterSave.STOP, StageListener.NONE)
                    .succeeded();
        }
    }

    @Test
    void anApplicationThatRefusesIsToldWithItsReasonAndGoesOn() throws Exception {
        try (CommandWorkload busy = CommandWorkload.start(folder)) {
            busy.tell("alloc dlsym 8000000");
            busy.tell("callbacks scheduler refuse");
            OperationOutcome.Failed failed = node.save(
                            EngineId.SUSPEND, SnapshotId.random(), busy.process(), AfterSave.STOP, StageListener.NONE)
                    .failed();
            assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_REFUSED);
            assertThat(failed.detail()).contains("scheduler is busy");
            busy.tell("memset 0 1");
            busy.tell("callbacks-off scheduler");
            node.save(EngineId.SUSPEND, SnapshotId.random(), busy.process(), AfterSave.STOP, StageListener.NONE)
                    .succeeded();
        }
    }

    @Test
    void anApplicationThatTakesTooLongIsLeftAloneWhenTheCallersTimeIsUp() throws Exception {
        try (CommandWorkload busy = CommandWorkload.start(folder)) {
            busy.tell("alloc dlsym 8000000");
            busy.tell("callbacks scheduler hang");
            OperationOutcome.Failed failed = node.saveWithin(Duration.ofSeconds(1), EngineId.SUSPEND, busy.process())
                    .failed();
            assertThat(failed.code()).isEqualTo(FailureCode.QUIESCE_TIMEOUT);
            busy.tell("memset 0 1");
            busy.tell("callback-let-go scheduler");
            node.saveWithin(Duration.ofSeconds(30), EngineId.SUSPEND, busy.process())
                    .succeeded();
        }
    }

    @Test
    void outputIntoAPipeOfSomebodyElseIsRefusedByCriuOnly() throws Exception {
        TestCriu.require();
        try (CommandWorkload piped = CommandWorkload.start(folder)) {
            piped.tell("alloc dlsym 8000000");
            OperationOutcome.Failed failed = node.save(
                            EngineId.CRIU_CUDA,
                            SnapshotId.random(),
                            piped.process(),
                            AfterSave.STOP,
                            StageListener.NONE)
                    .failed();
            assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
            assertThat(failed.detail())
                    .contains("pipe to pid " + ProcessHandle.current().pid());
        }
    }

    @Test
    void withoutCriuOnlySuspendWorks() throws Exception {
        EngineSettings with = TestNode.settings(folder.resolve("other"), TestNode.POOL_BYTES);
        EngineSettings without = new EngineSettings(
                with.stateDir(),
                with.nvmeRoot(),
                0,
                with.poolPath(),
                with.poolBytes(),
                with.scratchDir(),
                Optional.of(Path.of("/nonexistent/criu")),
                with.nativeDir(),
                with.cudaDriver(),
                2,
                RebuildablePolicy.none(),
                StoragePolicy.never());
        start(Map.of());
        try (TestNode bare = TestNode.open(without, UnaryOperator.identity())) {
            assertThat(bare.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                            .failed()
                            .code())
                    .isEqualTo(FailureCode.CRIU_UNAVAILABLE);
            assertThat(capability(bare, "criu+cuda").available()).isFalse();
            assertThat(capability(bare, "criu+cuda").reason()).contains("criu").contains("install");
            assertThat(capability(bare, "suspend").available()).isTrue();
            SaveOutcome save = bare.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class);
            bare.thaw(EngineId.SUSPEND, save.snapshot()).succeeded();
        }
    }

    @Test
    void withoutADriverNothingIsSavedAndTheReasonIsToldAndTheStoreIsStillThere() throws Exception {
        start(Map.of());
        SaveOutcome save = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class);
        node.thaw(EngineId.SUSPEND, save.snapshot()).succeeded();
        node.close();
        node = TestNode.open(
                TestNode.settings(folder, TestNode.POOL_BYTES),
                opening -> new GpuOpening.None("no driver in this test"));
        assertThat(capability(node, "suspend").reason()).contains("no driver in this test");
        assertThat(node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.CAPABILITY_MISSING);
        assertThat(node.engines().gpus()).isEmpty();
        node.verify(save.snapshot()).succeeded();
        node.delete(save.snapshot()).succeeded();
    }

    @Test
    void aPlaceThatIsTakenOrGoneIsRefusedAtThaw() throws Exception {
        TestCriu.require();
        start(Map.of());
        String answer = workload.answer("warm");
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();

        // its pid is taken: by itself
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.PID_CONFLICT);
        assertThat(failed.detail())
                .contains(Integer.toString(workload.process().pid()))
                .contains("cuda-server");
        assertThat(workload.answer("warm")).isEqualTo(answer);
        workload.end();

        // its port is taken
        try (ServerSocket other = new ServerSocket(workload.port(), 1, InetAddress.getByName("127.0.0.1"))) {
            failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
            assertThat(failed.code()).isEqualTo(FailureCode.PORT_CONFLICT);
            assertThat(failed.detail())
                    .contains(Integer.toString(other.getLocalPort()))
                    .contains("pid " + ProcessHandle.current().pid());
        }

        // its working directory is gone
        Path aside = folder.resolve("aside");
        Files.move(workload.folder(), aside);
        failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.PATH_MISSING);
        assertThat(failed.detail()).contains(workload.folder().toString());
        Files.move(aside, workload.folder());

        // the device has too little memory, and the driver was not touched
        gpu.disguise(real -> FailingGpu.withFreeBytes(real, 10 << 20));
        gpu.fail("restore", FailingGpu.Moment.BEFORE, 1);
        failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.INSUFFICIENT_VRAM);
        assertThat(failed.stage()).contains("preflight");
        assertThat(gpu.hasFailed()).isFalse();
        gpu.healthy();

        // another model
        gpu.disguise(real -> FailingGpu.named(real, "Other GPU"));
        failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).isEqualTo(FailureCode.GPU_MISMATCH);
        assertThat(failed.detail()).contains("Other GPU").contains("Simulated H100");
        gpu.disguise(UnaryOperator.identity());

        // and with everything in its place it works
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aThawByTheWrongEngineIsRefused() throws Exception {
        start(Map.of());
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        assertThat(node.thaw(EngineId.CRIU_CUDA, snapshot).failed().code()).isEqualTo(FailureCode.INCOMPATIBLE);
        assertThat(new ProcFs().isAlive(workload.process())).isTrue();
    }

    @Test
    void aStoreWithoutRoomIsRefusedBeforeAnythingIsTouched() throws Exception {
        start(Map.of());
        EngineSettings roomy = TestNode.settings(folder.resolve("other"), TestNode.POOL_BYTES);
        EngineSettings full = new EngineSettings(
                roomy.stateDir(),
                roomy.nvmeRoot(),
                Long.MAX_VALUE / 2,
                roomy.poolPath(),
                roomy.poolBytes(),
                roomy.scratchDir(),
                roomy.criu(),
                roomy.nativeDir(),
                roomy.cudaDriver(),
                2,
                RebuildablePolicy.none(),
                StoragePolicy.never());
        try (TestNode crowded = TestNode.open(full, UnaryOperator.identity())) {
            OperationOutcome.Failed failed =
                    crowded.save(EngineId.SUSPEND, workload, AfterSave.STOP).failed();
            assertThat(failed.code()).isEqualTo(FailureCode.INSUFFICIENT_SPACE);
            assertThat(failed.stage()).contains("preflight");
            assertThat(failed.detail()).contains("nvme.reserveBytes");
        }
    }

    private void start(Map<String, String> environment) throws Exception {
        workload = TestWorkload.start(folder.resolve("workload"), environment, List.of());
    }

    private void assertSaveRefused(EngineId engine, FailureCode code, String text) throws Exception {
        String answer = workload.answer("warm");
        OperationOutcome.Failed failed =
                node.save(engine, workload, AfterSave.STOP).failed();
        assertThat(failed.code()).isEqualTo(code);
        assertThat(failed.detail()).contains(text);
        assertThat(failed.stage()).contains("preflight");
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThat(node.engines().snapshots()).isEmpty();
    }

    private static Capability capability(TestNode node, String name) {
        return node.engines().capabilities().stream()
                .filter(capability -> capability.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
