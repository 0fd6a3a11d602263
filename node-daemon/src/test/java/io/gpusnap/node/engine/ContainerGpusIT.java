package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.PlaceholderState;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** Containers that were given some of a node's two GPUs: what a process can open is what its container has a device node of. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ContainerGpusIT {

    private static final String PROMPT = "warm";
    private static final String FIRST = "nvidia0";
    private static final String SECOND = "nvidia1";

    @TempDir
    static Path folder;

    private final StartedContainers containers = new StartedContainers();
    private FailingGpu gpu;
    private TestNode node;
    private String first;
    private String second;
    private Saved ofOne;
    private Saved ofBoth;

    private record Saved(SnapshotId snapshot, String answer) {}

    @BeforeAll
    void serversAreSavedInAContainerWithTheFirstGpuAndInOneWithBoth() throws Exception {
        TestNatives.require();
        TestCriu.require();
        Path kernel = folder.resolve("gpus");
        node = FailingGpu.node(
                TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made, ProcFs.withGpusOf(kernel));
        List<GpuInfo> gpus = node.engines().gpus();
        new KernelGpus(kernel).have(gpus);
        first = gpus.get(0).uuid();
        second = gpus.get(1).uuid();
        ofOne = saved(FIRST);
        ofBoth = saved(FIRST, SECOND);
    }

    private Saved saved(String... nodes) throws Exception {
        TestContainer container =
                start(TestContainer.Setup.pod("web-0", "10.4.0.7").devices(nodes));
        container.awaitReady();
        String answer = container.answer(PROMPT);
        SnapshotId snapshot = node.save(
                        EngineId.CRIU_CUDA,
                        SnapshotId.random(),
                        container.workload(),
                        AfterSave.STOP,
                        StageListener.NONE)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        end();
        return new Saved(snapshot, answer);
    }

    @AfterEach
    void end() throws Exception {
        containers.end();
    }

    @AfterAll
    void close() throws Exception {
        node.close();
        TestNode.cleanUp(folder);
    }

    private TestContainer start(TestContainer.Setup setup) throws Exception {
        return containers.start(folder, setup);
    }

    private TestContainer waiting(String... nodes) throws Exception {
        return start(TestContainer.Setup.pod("web-1", "10.4.0.8").waiting().devices(nodes))
                .awaitState(PlaceholderState.WAITING);
    }

    @Test
    void aSnapshotNamesTheGpusThatItsProcessCouldOpenUsedOrNot() throws Exception {
        assertThat(gpusOf(ofOne)).containsExactly(Map.entry(first, true));
        assertThat(gpusOf(ofBoth)).containsExactly(Map.entry(first, true), Map.entry(second, false));
    }

    @Test
    void aContainerWithTheOtherGpuTakesAProcessByAMapOfExactlyThatPair() throws Exception {
        TestContainer other = waiting(SECOND);
        // that this is where it will be, is known before
        assertThat(node.engines().gpuUse().of(ofOne.snapshot(), Map.of(), Optional.of(other.ref())))
                .containsExactly(second);
        // when
        ProcessId process = thawed(other, ofOne);
        // then
        assertThat(gpu.lastMap()).containsExactly(Map.entry(first, second));
        assertThat(node.engines().gpuUse().of(process)).containsExactly(second);
    }

    @Test
    void aContainerWithoutADeviceNodeHasNoGpuForAProcess() throws Exception {
        TestContainer none = waiting();
        assertRefused(none, ofOne, "0 GPUs are there");
    }

    @Test
    void aProcessThatCouldOpenTwoGpusCannotComeBackOnAnotherOneAlone() throws Exception {
        TestContainer one = waiting(SECOND);
        assertRefused(one, ofBoth, first + "); 1 GPUs are there, and none is left for it");
    }

    @Test
    void aGpuThatAProcessCouldOpenAndDidNotUseNeedNotBeThereWhereItStays() throws Exception {
        TestContainer one = waiting(FIRST);
        assertThat(node.engines().gpuUse().of(ofBoth.snapshot(), Map.of(), Optional.of(one.ref())))
                .containsExactly(first);
        thawed(one, ofBoth);
        assertThat(gpu.lastMap()).isEmpty();
    }

    private ProcessId thawed(TestContainer container, Saved saved) throws Exception {
        ThawOutcome thawed = node.thawInto(container.ref(), saved.snapshot(), StageListener.NONE)
                .succeeded()
                .fact(ThawOutcome.class);
        assertThat(container.answer(PROMPT)).isEqualTo(saved.answer());
        return new ProcessId(thawed.pid(), thawed.startTimeTicks());
    }

    private void assertRefused(TestContainer container, Saved saved, String why) throws Exception {
        OperationOutcome.Failed failed = node.thawInto(container.ref(), saved.snapshot(), StageListener.NONE)
                .failed();
        assertThat(failed.code()).isEqualTo(FailureCode.GPU_MISMATCH);
        assertThat(failed.stage()).contains("preflight");
        assertThat(failed.detail()).contains(why);
    }

    private List<Map.Entry<String, Boolean>> gpusOf(Saved saved) throws Exception {
        return node.engines().manifest(saved.snapshot()).compatibility().gpus().stream()
                .map(one -> Map.entry(one.uuid(), one.inUse()))
                .toList();
    }
}
