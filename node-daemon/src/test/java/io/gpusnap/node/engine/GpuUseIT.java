package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server on the second GPU of a node is no matter of the first one: another may have all of that. */
class GpuUseIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload server;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = FailingGpu.node(TestNode.settings(folder, TestNode.POOL_BYTES), made -> gpu = made);
        server = TestWorkload.start(folder.resolve("workload"), Map.of("CUDA_VISIBLE_DEVICES", "1"), List.of());
    }

    @AfterEach
    void end() throws Exception {
        server.close();
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void aSnapshotTellsWhichGpuItsProcessUsesAndComesBackBesideAFullOtherOne() throws Exception {
        String answer = server.answer("warm");
        String second = node.engines().gpus().get(1).uuid();
        assertThat(node.engines().gpuUse().of(server.process())).containsExactly(second);
        // when
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, server, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        server.end();
        // then
        assertThat(node.engines().manifest(snapshot).compatibility().gpus())
                .filteredOn(Manifest.Gpu::inUse)
                .extracting(Manifest.Gpu::ordinal)
                .containsExactly(1);
        assertThat(node.engines().gpuUse().of(snapshot, Map.of(), Optional.empty()))
                .containsExactly(second);
        // and given a first GPU that is full
        gpu.disguise(real -> real.ordinal() == 0 ? FailingGpu.withFreeBytes(real, 0) : real);
        ThawOutcome thawed = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        server.became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        assertThat(server.answer("warm")).isEqualTo(answer);
    }

    @Test
    void aSwitchOnOneGpuIsNoMatterOfWhoeverIsOnAnotherOne() throws Exception {
        List<String> uuids = node.engines().gpus().stream().map(GpuInfo::uuid).toList();
        SnapshotId snapshot = node.save(EngineId.SUSPEND, server, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        try (TestWorkload other = TestWorkload.start(folder.resolve("other"));
                TestWorkload neighbour = TestWorkload.start(
                        folder.resolve("neighbour"), Map.of("CUDA_VISIBLE_DEVICES", "1"), List.of())) {
            GpuUse use = node.engines().gpuUse();
            assertThat(use.ofSwitch(snapshot, List.of(other.process(), neighbour.process())))
                    .containsExactly(uuids.get(1));
            // while one that cannot be asked may be anywhere
            neighbour.end();
            assertThat(use.ofSwitch(snapshot, List.of(neighbour.process()))).containsExactlyInAnyOrderElementsOf(uuids);
        }
    }

    @Test
    void aSuspendedProcessIsStillKnownToBeOnItsGpu() throws Exception {
        GpuInfo second = node.engines().gpus().get(1);
        SnapshotId snapshot = node.save(EngineId.SUSPEND, server, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        assertThat(node.engines().gpuUse().of(server.process())).containsExactly(second.uuid());
        node.thaw(EngineId.SUSPEND, snapshot).succeeded();
        assertThat(server.answer("warm")).isNotEmpty();
    }
}
