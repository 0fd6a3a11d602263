package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Slot;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two GPUs have one pool: a thaw that could use all of it does not keep a save on the other GPU from beginning. */
class SharedPoolIT {

    @TempDir
    Path folder;

    private TestNode node;
    private TestWorkload thawing;
    private TestWorkload saving;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        // a pool that is smaller than what either of them has to be filled with
        node = TestNode.open(TestNode.settings(folder, 10L * Slot.BYTES), UnaryOperator.identity());
        thawing = TestWorkload.start(folder.resolve("thawing"), Map.of("CUDA_VISIBLE_DEVICES", "1"), List.of());
        saving = TestWorkload.start(folder.resolve("saving"));
    }

    @AfterEach
    void end() throws Exception {
        thawing.close();
        saving.close();
        node.close();
        TestNode.cleanUp(folder);
    }

    @Test
    void aSaveOnOneGpuBeginsWhileAThawOnTheOtherHasItsChunksInThePool() throws Exception {
        String answer = thawing.answer("warm");
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, thawing, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        thawing.end();
        AtomicReference<TestNode.Ended> saved = new AtomicReference<>();
        // when
        ThawOutcome thawed = node.thaw(
                        EngineId.CRIU_CUDA,
                        snapshot,
                        Optional.empty(),
                        new StageStarts("driver-restore", () -> saved.set(save(SnapshotId.random()))))
                .succeeded()
                .fact(ThawOutcome.class);
        thawing.became(new ProcessId(thawed.pid(), thawed.startTimeTicks()));
        // then
        saved.get().succeeded();
        assertThat(thawing.answer("warm")).isEqualTo(answer);
    }

    private TestNode.Ended save(SnapshotId id) {
        try {
            return node.save(EngineId.SUSPEND, id, saving.process(), AfterSave.STOP, StageListener.NONE);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }
}
