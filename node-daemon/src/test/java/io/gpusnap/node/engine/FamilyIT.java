package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A workload of two processes that both use CUDA, as servers with a worker a GPU have them. */
class FamilyIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload.Family family;
    private String parentAnswer;
    private String childAnswer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        family = TestWorkload.startFamily(folder);
        parentAnswer = family.parent().answer("warm");
        childAnswer = family.child().answer("warm");
        assertThat(parentAnswer).isNotEqualTo(childAnswer);
    }

    @AfterEach
    void end() throws Exception {
        family.parent().close();
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void bothAreFrozenAndThawedTogether() throws Exception {
        // when
        SaveOutcome saved = node.save(EngineId.CRIU_CUDA, family.parent(), AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class);
        family.parent().end();
        ThawOutcome thawed =
                node.thaw(EngineId.CRIU_CUDA, saved.snapshot()).succeeded().fact(ThawOutcome.class);
        family.parent().became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        // then
        assertThatBothAnswer();
        Manifest.Device device = node.engines().manifest(saved.snapshot()).device();
        assertThat(device.taskIds())
                .containsExactlyInAnyOrder(
                        family.parent().process().pid(),
                        family.child().process().pid());
        assertThat(device.allocations())
                .extracting(allocation -> allocation.id() >>> 48)
                .contains(0L, 1L);
        assertThat(device.allocations())
                .extracting(Manifest.Allocation::gpuOrdinal)
                .contains(0, 1);
    }

    @Test
    void eachComesBackOnAnotherGpuWhenItIsTold() throws Exception {
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, family.parent(), AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        family.parent().end();
        List<GpuInfo> gpus = node.engines().gpus();
        // when they change places
        ThawOutcome thawed = node.thaw(
                        EngineId.CRIU_CUDA,
                        snapshot,
                        Map.of(0, gpus.get(1).uuid(), 1, gpus.get(0).uuid()))
                .succeeded()
                .fact(ThawOutcome.class);
        family.parent().became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        // then
        assertThatBothAnswer();
        assertThat(node.engines().gpuUse().of(family.parent().process())).hasSize(2);
        ProcessId child =
                new ProcFs().stat(family.child().process().pid()).orElseThrow().id();
        assertThat(node.engines().gpuUse().of(child))
                .containsExactly(gpus.get(0).uuid());
    }

    @Test
    void bothAreSuspendedAndResumedTogether() throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        node.save(EngineId.SUSPEND, snapshot, family.parent().process(), AfterSave.STOP, StageListener.NONE)
                .succeeded();
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThatBothAnswer();
    }

    @Test
    void whereverItFailsBothGoOn() throws Exception {
        for (String verb : List.of("quiesce", "import", "release", "lock", "checkpoint")) {
            for (int call : List.of(0, 1)) { // of the first process, and of the second
                gpu.failAfter(verb, call);
                assertThat(node.save(EngineId.SUSPEND, family.parent(), AfterSave.STOP)
                                .failed()
                                .code())
                        .as("%s %d", verb, call)
                        .isEqualTo(FailureCode.DRIVER_FAILED);
                assertThatBothAnswer();
            }
        }
    }

    @Test
    void aResumeThatFailsHalfWayLetsAllMemoryGoAgain() throws Exception {
        SnapshotId snapshot = SnapshotId.random();
        node.save(EngineId.SUSPEND, snapshot, family.parent().process(), AfterSave.STOP, StageListener.NONE)
                .succeeded();
        List<Long> free = freeBytes();
        gpu.failAfter("remap", 1);
        assertThat(node.thaw(EngineId.SUSPEND, snapshot).failed().undoProblems())
                .isEmpty();
        assertThat(freeBytes()).isEqualTo(free);
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThatBothAnswer();
    }

    private List<Long> freeBytes() throws Exception {
        return node.engines().gpus().stream().map(GpuInfo::freeBytes).toList();
    }

    private void assertThatBothAnswer() throws Exception {
        assertThat(family.parent().answer("warm")).isEqualTo(parentAnswer);
        assertThat(family.child().answer("warm")).isEqualTo(childAnswer);
    }
}
