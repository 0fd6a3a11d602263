package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Workloads of which a process has mounts of its own, and in them another /dev than the first process has. */
class OwnDevicesIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private List<GpuInfo> gpus;

    @BeforeEach
    void openNode() throws Exception {
        TestNatives.require();
        Path kernel = folder.resolve("gpus");
        node = FailingGpu.node(
                TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made, ProcFs.withGpusOf(kernel));
        gpus = node.engines().gpus();
        new KernelGpus(kernel).have(gpus);
    }

    @AfterEach
    void close() throws Exception {
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void theGpusOfAWorkloadAreThoseOfItsProcessesThatUseCuda() throws Exception {
        try (TestWorkload server =
                TestWorkload.startBelowShellWithDevices(folder.resolve("workload"), "nvidia0", "nvidia1")) {
            String answer = server.answer("warm");
            SnapshotId snapshot = node.save(EngineId.SUSPEND, server, AfterSave.STOP)
                    .succeeded()
                    .fact(SaveOutcome.class)
                    .snapshot();
            assertThat(node.engines().manifest(snapshot).compatibility().gpus())
                    .extracting(Manifest.Gpu::uuid)
                    .containsExactly(gpus.get(0).uuid(), gpus.get(1).uuid());
            // so that it can change its place
            node.thaw(EngineId.SUSPEND, snapshot, Map.of(0, gpus.get(1).uuid())).succeeded();
            assertThat(gpu.lastMap()).hasSize(2);
            assertThat(server.answer("warm")).isEqualTo(answer);
        }
    }

    @Test
    void processesThatCanOpenDifferentGpusAreNotDumpedTogetherAndAreSuspended() throws Exception {
        TestCriu.require();
        TestWorkload.Family family = TestWorkload.startFamilyWithDevices(folder.resolve("workload"), "nvidia1");
        try (TestWorkload parent = family.parent()) {
            String answer = family.child().answer("warm");
            OperationOutcome.Failed failed =
                    node.save(EngineId.CRIU_CUDA, parent, AfterSave.STOP).failed();
            assertThat(failed.code()).isEqualTo(FailureCode.WORKLOAD_UNSUPPORTED);
            assertThat(failed.stage()).contains("preflight");
            assertThat(failed.detail())
                    .contains("process " + parent.process().pid() + " can open the GPUs []")
                    .contains("process " + family.child().process().pid() + " can open the GPUs ["
                            + gpus.get(1).uuid() + "]");
            // while nothing of it need go elsewhere
            SnapshotId snapshot = SnapshotId.random();
            node.save(EngineId.SUSPEND, snapshot, parent.process(), AfterSave.STOP, StageListener.NONE)
                    .succeeded();
            node.thaw(EngineId.SUSPEND, snapshot).succeeded();
            assertThat(family.child().answer("warm")).isEqualTo(answer);
        }
    }
}
