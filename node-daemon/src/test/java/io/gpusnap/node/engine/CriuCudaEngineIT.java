package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class CriuCudaEngineIT extends CheckpointEngineContract {

    @Override
    EngineId engine() {
        return EngineId.CRIU_CUDA;
    }

    @Override
    void require() throws Exception {
        TestCriu.require();
        TestNode.fillAfter(folder);
    }

    @Override
    void makeRoom() {
        Awaitility.await().until(() -> !new ProcFs().isAlive(workload.process()));
    }

    @Override
    void assertThawFails(SnapshotId snapshot, FailureCode code, long freeBytesBefore) throws Exception {
        AtomicBoolean ran = new AtomicBoolean();
        StageListener running = new StageStarts("driver-restore", () -> ran.set(true));
        assertThat(node.thaw(engine(), snapshot, Optional.empty(), running)
                        .failed()
                        .code())
                .isEqualTo(code);
        assertThat(ran).as("anything of it ran").isFalse();
        assertNothingHalfAlive();
        awaitFreeBytes(freeBytesBefore);
        assertThatNothingIsHeld();
    }

    private void assertNothingHalfAlive() {
        assertThat(new ProcFs().stat(workload.process().pid()).filter(stat -> !stat.isDead()))
                .as("nothing half-alive")
                .isEmpty();
    }

    @Test
    void aThawThatIsCancelledWhileItWaitsForChunksLeavesNothing() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        long free = freeBytes();
        // when
        OperationOutcome outcome = node.cancelledAt("verify", snapshot).outcome();
        // then
        assertThat(outcome).isInstanceOf(OperationOutcome.Cancelled.class);
        assertNothingHalfAlive();
        awaitFreeBytes(free);
        assertThatNothingIsHeld();
    }

    @Test
    void aWorkloadThatIsKeptGoesOnAndItsSnapshotThawsLater() throws Exception {
        // when
        TestNode.Ended saved =
                node.save(engine(), workload, AfterSave.KEEP_RUNNING).succeeded();
        // then it goes on
        assertThat(saved.fact(SaveOutcome.class).workloadAlive()).isTrue();
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThatNothingIsHeld();

        // when it ends and the snapshot is thawed
        workload.end();
        ThawOutcome thaw = node.thaw(engine(), saved.fact(SaveOutcome.class).snapshot())
                .succeeded()
                .fact(ThawOutcome.class);
        // then
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    @Test
    void aWorkloadThatCannotTakeBackAllThatWasHeldGetsTheRestFilled() throws Exception {
        // given one whose driver does not let it have the first of its allocations again
        workload.close();
        workload = TestWorkload.start(
                folder.resolve("refused"), Map.of("GPUSNAP_SIM_FAIL", "cuMemImportFromShareableHandle@1"), List.of());
        answer = workload.answer(PROMPT);
        // when
        TestNode.Ended saved =
                node.save(engine(), workload, AfterSave.KEEP_RUNNING).succeeded();
        // then
        assertThat(saved.fact(SaveOutcome.class).workloadAlive()).isTrue();
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThatNothingIsHeld();
    }

    @Test
    void aWorkloadThatSeesTwoGpusAndUsesOneComesBackOnTheOther() throws Exception {
        comesBackOnTheOtherGpu();
    }

    @Test
    void aWorkloadThatIsShownOneOfTwoGpusComesBackOnTheOther() throws Exception {
        // given the driver, which maps what a process can open, not what it is shown
        workload.close();
        workload = TestWorkload.start(folder.resolve("shown-one"), Map.of("CUDA_VISIBLE_DEVICES", "0"), List.of());
        answer = workload.answer(PROMPT);
        // when, then
        comesBackOnTheOtherGpu();
    }

    private void comesBackOnTheOtherGpu() throws Exception {
        // given
        List<String> gpus = node.engines().gpus().stream().map(GpuInfo::uuid).toList();
        SnapshotId snapshot = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        workload.end();
        assertThat(node.engines().manifest(snapshot).compatibility().gpus())
                .extracting(Manifest.Gpu::inUse)
                .containsExactly(true, false);
        // when
        ThawOutcome thaw = node.thaw(engine(), snapshot, Map.of(0, gpus.get(1)))
                .succeeded()
                .fact(ThawOutcome.class);
        // then
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(node.engines().gpuUse().of(workload.process())).containsExactly(gpus.get(1));

        // and from there it is saved and comes back like any other
        SnapshotId moved = node.save(engine(), workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        workload.end();
        ThawOutcome again = node.thaw(engine(), moved).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(again.pid(), again.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(node.engines().gpuUse().of(workload.process())).containsExactly(gpus.get(1));
    }

    @Test
    void dataThatWentOnWithoutTheSnapshotIsRefusedWithBothSidesNamed() throws Exception {
        // given a snapshot, and a server that wrote to its state file afterwards
        SaveOutcome save = node.save(engine(), workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        workload.answer("later");
        workload.end();
        // when
        OperationOutcome.Failed failed = node.thaw(engine(), save.snapshot()).failed();
        // then
        assertThat(failed.code()).isEqualTo(FailureCode.INCOMPATIBLE);
        assertThat(failed.detail()).contains(workload.folder().resolve("state").toString());
    }

    @Test
    void aSecondSnapshotMovesAndStoresLittle() throws Exception {
        // given
        SaveOutcome first = node.save(engine(), workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        workload.answer("new");
        // when
        SaveOutcome second = node.save(engine(), workload, AfterSave.KEEP_RUNNING)
                .succeeded()
                .fact(SaveOutcome.class);
        // then
        assertThat(first.totals().storedBytes()).isGreaterThan(48L << 20);
        assertThat((double) second.totals().storedBytes() / first.totals().storedBytes())
                .as("stored %s, then %s", first.totals(), second.totals())
                .isLessThan(0.1);
        // also not into the workload that goes on
        assertThat(second.movedBytes()).isLessThan(first.movedBytes() / 4);
    }

    @Test
    void aSpoiltHostChunkStopsTheThawBeforeCriuRuns() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        long free = freeBytes();
        ChunkDigest chunk = node.engines().manifest(snapshot).host().files().stream()
                .filter(file -> file.name().startsWith("pages-"))
                .flatMap(file -> file.chunks().stream())
                .filter(ref -> !ref.isZero())
                .findFirst()
                .orElseThrow()
                .content()
                .orElseThrow();
        spoil(chunk, false);
        assertThawFails(snapshot, FailureCode.CHUNK_CORRUPT, free);
    }

    @Test
    void aLogThatWentOnIsSetAsideWithNothingLost() throws Exception {
        // given
        SaveOutcome save =
                node.save(engine(), workload, AfterSave.STOP).succeeded().fact(SaveOutcome.class);
        makeRoom();
        Path state = workload.folder().resolve("state");
        Path log = workload.folder().resolve("server.log");
        assertThat(log).exists();
        Files.writeString(log, "written by somebody else\n", StandardOpenOption.APPEND);
        // when
        ThawOutcome thaw = node.thaw(engine(), save.snapshot()).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        // then
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(state).exists();
        try (Stream<Path> files = Files.list(workload.folder())) {
            List<String> texts = files.filter(
                            file -> file.getFileName().toString().startsWith("server.log"))
                    .map(CriuCudaEngineIT::read)
                    .toList();
            assertThat(String.join("", texts)).contains("written by somebody else");
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
