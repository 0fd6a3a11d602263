package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierKind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A pool much smaller than the workload's device memory. */
class SmallPoolIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        node = FailingGpu.node(TestNode.settings(folder, 5L * Slot.BYTES), made -> gpu = made);
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
    void aWorkloadLargerThanThePoolIsSavedAndThawed() throws Exception {
        savedAndThawed();
    }

    @Test
    void aWorkloadLargerThanThePoolIsFilledAfterwards() throws Exception {
        node.close();
        TestNode.fillAfter(folder);
        node = FailingGpu.node(TestNode.settings(folder, 5L * Slot.BYTES), made -> gpu = made);
        savedAndThawed();
    }

    private void savedAndThawed() throws Exception {
        TestCriu.require();
        // when
        SaveOutcome save = node.save(EngineId.CRIU_CUDA, workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        // then it came back out of store and pool together
        assertThat(save.totals().vramBytes()).isGreaterThan(10L * Slot.BYTES);
        assertThat(workload.answer("warm")).isEqualTo(answer);
        workload.end();
        // when
        ThawOutcome thaw =
                node.thaw(EngineId.CRIU_CUDA, save.snapshot()).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        // then
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThatThePoolIsFree();
    }

    @Test
    void whatIsSpoiltAfterItWasProvenEndsTheThawAndIsTold() throws Exception {
        TestCriu.require();
        // given
        SnapshotId snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        // when chunks change that the pool has no room for, once all are proven
        TestNode.Ended thawed = node.thaw(
                EngineId.CRIU_CUDA, snapshot, Optional.empty(), new StageStarts("fill", this::spoilEachChunk));
        // then
        assertThat(thawed.failed().stage()).contains("fill");
        assertThat(thawed.failed().code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertThat(thawed.fact(DamagedCopies.class).copies()).hasSize(1);
        assertThatThePoolIsFree();
    }

    private void spoilEachChunk() {
        try (Stream<Path> files = Files.walk(folder.resolve("nvme/chunks"))) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                byte[] bytes = Files.readAllBytes(file);
                bytes[bytes.length / 2] ^= 1;
                Files.write(file, bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void aSaveThatFailsAfterTheMemoryIsGoneStillComesBack() throws Exception {
        for (String verb : List.of("lock", "checkpoint")) {
            gpu.fail(verb, FailingGpu.Moment.AFTER, 1);
            assertThat(node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                            .failed()
                            .code())
                    .isEqualTo(FailureCode.DRIVER_FAILED);
            assertThat(workload.answer("warm")).isEqualTo(answer);
        }
        assertThatThePoolIsFree();
    }

    @Test
    void chunksThatAreTheOnlyCopyOutliveASaveThatFailsLate() throws Exception {
        TestCriu.require();
        for (EngineId engine : List.of(EngineId.SUSPEND, EngineId.CRIU_CUDA)) {
            for (String stage : List.of("store", "verify", "commit")) {
                TestNode.Ended ended = node.save(
                        engine, SnapshotId.random(), workload.process(), AfterSave.STOP, new StageStarts(stage, () -> {
                            throw new IllegalStateException("made to fail");
                        }));
                // then the workload has its memory again, and only then the store let go of it
                assertThat(ended.failed().stage()).as("%s %s", engine, stage).contains(stage);
                assertThat(ended.failed().undoProblems())
                        .as("%s %s", engine, stage)
                        .isEmpty();
                assertThat(workload.answer("warm")).as("%s %s", engine, stage).isEqualTo(answer);
                assertThat(node.engines().snapshots()).isEmpty();
            }
        }
        assertThatThePoolIsFree();
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.NVME)
                .singleElement()
                .satisfies(tier -> assertThat(tier.usedBytes()).isZero());
    }

    @Test
    void aPoolThatOthersHoldIsNoRoom() throws Exception {
        // given an operation of another life that holds all but one slot
        node.close();
        EngineSettings settings = TestNode.settings(folder, 5L * Slot.BYTES);
        try (TestNode earlier = TestNode.open(settings, UnaryOperator.identity())) {
            earlier.claim(UUID.randomUUID(), 4);
        }
        node = TestNode.open(settings, UnaryOperator.identity());
        // when, then
        assertThat(node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.INSUFFICIENT_SPACE);
        // when the daemon's start finds that nobody remembers that operation
        node.engines().forgetAllBut(List.of());
        // then
        node.save(EngineId.SUSPEND, workload, AfterSave.STOP).succeeded();
    }

    private void assertThatThePoolIsFree() throws Exception {
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier -> assertThat(tier.freeBytes()).isEqualTo(tier.capacityBytes()));
    }
}
