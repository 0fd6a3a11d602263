package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What every engine must do, with a real server on the simulated driver. An engine's own test is a subclass. */
abstract class CheckpointEngineContract {

    static final String PROMPT = "warm";

    @TempDir
    Path folder;

    TestNode node;
    TestWorkload workload;
    String answer;

    abstract EngineId engine();

    /** Ends the test, with the reason, where the engine cannot run. */
    abstract void require() throws Exception;

    /** Brings the workload into the state from which this engine thaws it. */
    abstract void makeRoom() throws Exception;

    @BeforeEach
    void startNodeAndWorkload() throws Exception {
        TestNatives.require();
        require();
        node = TestNode.open(folder);
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
    }

    @AfterEach
    void endNodeAndWorkload() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        TestNode.cleanUp(folder);
    }

    @Test
    void aThawedWorkloadAnswersAsBefore() throws Exception {
        // when
        TestNode.Ended saved = node.save(engine(), workload, AfterSave.STOP).succeeded();
        makeRoom();
        SaveOutcome save = saved.fact(SaveOutcome.class);
        TestNode.Ended thawed = node.thaw(engine(), save.snapshot()).succeeded();
        // then
        ThawOutcome thaw = thawed.fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
        assertThat(thaw.workloadName()).isEqualTo("test-server");
        assertThat(thaw.fillBytesPerSecond()).isPositive();
        assertThat(thaw.stageSeconds().keySet())
                .contains("verify", "driver-restore", "remap", "fill", "resume", "health");
        assertThat(thaw.seconds()).isPositive();
        // and the server goes on: a new prompt changes its state
        assertThat(workload.answer("another")).isNotEqualTo(answer);
        assertThatNothingIsHeld();
    }

    @Test
    void onlyWhatThePoolLacksCrossesTheBus() throws Exception {
        // given a workload that was saved, thawed, and has changed a little
        SaveOutcome first =
                node.save(engine(), workload, AfterSave.STOP).succeeded().fact(SaveOutcome.class);
        makeRoom();
        ThawOutcome thaw = node.thaw(engine(), first.snapshot()).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        String changed = workload.answer("another");
        // when
        SaveOutcome second =
                node.save(engine(), workload, AfterSave.STOP).succeeded().fact(SaveOutcome.class);
        // then zeros stayed where they were the first time, and all but the change the second time
        assertThat(first.movedBytes()).isPositive().isLessThan(first.totals().vramBytes());
        assertThat(second.movedBytes())
                .isPositive()
                .isLessThanOrEqualTo(second.totals().vramBytes() / 4);
        // and it is a whole snapshot all the same
        makeRoom();
        ThawOutcome again = node.thaw(engine(), second.snapshot()).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(again.pid(), again.startTimeTicks()));
        assertThat(workload.answer("another")).isEqualTo(changed);
        assertThatNothingIsHeld();
    }

    @Test
    void theManifestDescribesTheWorkload() throws Exception {
        SaveOutcome save =
                node.save(engine(), workload, AfterSave.STOP).succeeded().fact(SaveOutcome.class);
        Manifest manifest = node.engines().manifest(save.snapshot());
        assertThat(manifest.engine()).isEqualTo(engine().value());
        assertThat(manifest.process().workload()).isEqualTo("test-server");
        assertThat(manifest.process().pid()).isEqualTo(workload.process().pid());
        assertThat(manifest.process().taskIds()).contains(workload.process().pid());
        assertThat(manifest.process().listeningSockets()).anyMatch(socket -> socket.port() == workload.port());
        assertThat(manifest.process().environmentNames()).contains("GPUSNAP_WORKLOAD");
        assertThat(manifest.process().workingDirectory())
                .isEqualTo(workload.folder().toRealPath().toString());
        assertThat(manifest.compatibility().libraries())
                .extracting(Manifest.Library::role)
                .contains("libcuda", "preload", "executable");
        assertThat(manifest.compatibility().simulated()).isTrue();
        assertThat(manifest.compatibility().gpus())
                .filteredOn(Manifest.Gpu::inUse)
                .hasSize(1);
        assertThat(manifest.compatibility().image()).isEqualTo("test/server:1");
        assertThat(manifest.totals().vramBytes()).isGreaterThan(48L << 20);
        assertThat(manifest.totals().chunksZero()).isPositive();
        assertThat(save.totals()).isEqualTo(manifest.totals());
        assertThat(save.pauseSeconds()).isPositive();
        assertThat(save.stageSeconds().keySet())
                .contains("preflight", "quiesce", "drain", "release", "checkpoint", "store", "verify", "commit");
        InspectReport report = node.engines().inspect(save.snapshot());
        assertThat(report.missingChunks()).isZero();
        assertThat(report.presentChunks()).isPositive();
        assertThat(report.manifestDigest()).isEqualTo(save.manifestDigest());
        assertThat(report.text()).contains("test-server").contains("Simulated").contains("not used");
    }

    @Test
    void aSpoiltChunkStopsTheThawBeforeAnythingRuns() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        long free = freeBytes();
        spoil(deviceChunk(snapshot), false);
        assertThawFails(snapshot, FailureCode.CHUNK_CORRUPT, free);
        assertThawFails(snapshot, FailureCode.CHUNK_MISSING, free);
        assertThat(node.verify(snapshot).failed().code()).isEqualTo(FailureCode.CHUNK_MISSING);
    }

    @Test
    void aTruncatedChunkStopsTheThawBeforeAnythingRuns() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        long free = freeBytes();
        spoil(deviceChunk(snapshot), true);
        assertThawFails(snapshot, FailureCode.CHUNK_CORRUPT, free);
    }

    @Test
    void aManifestOfAnotherDigestIsRefused() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        assertThat(node.thaw(engine(), snapshot, Optional.of("0".repeat(64)), StageListener.NONE)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.MANIFEST_INVALID);
    }

    @Test
    void anUnknownSnapshotIsMissing() throws Exception {
        assertThat(node.thaw(engine(), SnapshotId.random()).failed().code()).isEqualTo(FailureCode.CHUNK_MISSING);
    }

    @Test
    void aProcessThatIsGoneIsNotFound() throws Exception {
        ProcessId gone =
                new ProcessId(workload.process().pid(), workload.process().startTimeTicks() - 1);
        assertThat(node.save(engine(), SnapshotId.random(), gone, AfterSave.STOP, StageListener.NONE)
                        .failed()
                        .code())
                .isEqualTo(FailureCode.WORKLOAD_NOT_FOUND);
    }

    @Test
    void aVerifiedSnapshotIsDeletedWithItsChunks() throws Exception {
        SnapshotId snapshot = savedAndRoomMade();
        VerifyOutcome verified = node.verify(snapshot).succeeded().fact(VerifyOutcome.class);
        assertThat(verified.chunks()).isPositive();
        workload.end();
        assertThat(node.delete(snapshot).succeeded().fact(DeleteOutcome.class).freedBytes())
                .isPositive();
        assertThat(node.engines().snapshots()).isEmpty();
        assertThat(folder.resolve("nvme/chunks")).isDirectoryNotContaining(path -> !emptyFolder(path));
        node.delete(snapshot).succeeded();
    }

    private static boolean emptyFolder(Path path) {
        String[] names = path.toFile().list();
        return names == null || names.length == 0;
    }

    SnapshotId savedAndRoomMade() throws Exception {
        SaveOutcome save =
                node.save(engine(), workload, AfterSave.STOP).succeeded().fact(SaveOutcome.class);
        makeRoom();
        // A new daemon whose pool is empty has to read the store.
        node.close();
        Path pool = TestNode.settings(folder, TestNode.POOL_BYTES).poolPath();
        Files.delete(pool);
        Files.delete(pool.resolveSibling("pool.index"));
        node = TestNode.open(folder);
        return save.snapshot();
    }

    abstract void assertThawFails(SnapshotId snapshot, FailureCode code, long freeBytesBefore) throws Exception;

    ChunkDigest deviceChunk(SnapshotId snapshot) throws Exception {
        return node.engines().manifest(snapshot).device().allocations().stream()
                .flatMap(allocation -> allocation.chunks().stream())
                .filter(chunk -> !chunk.isZero())
                .map(ChunkRef::content)
                .findFirst()
                .orElseThrow()
                .orElseThrow();
    }

    void spoil(ChunkDigest digest, boolean truncate) throws Exception {
        Path file = folder.resolve("nvme/chunks/" + digest.hex().substring(0, 2) + "/" + digest.hex());
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, truncate ? Arrays.copyOf(bytes, bytes.length - 1) : bytes);
    }

    long freeBytes() throws Exception {
        return node.engines().gpus().getFirst().freeBytes();
    }

    /** Others may use the simulated GPU at the same time: what we hold shows as memory that never comes back. */
    void awaitFreeBytes(long atLeast) {
        Awaitility.await("device memory is free again").until(() -> freeBytes() >= atLeast);
    }

    void assertThatNothingIsHeld() throws Exception {
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier -> assertThat(tier.freeBytes()).isEqualTo(tier.capacityBytes()));
        assertThat(TestNode.settings(folder, Slot.BYTES * 64L).scratchDir()).isEmptyDirectory();
    }

    boolean isAlive(ProcessId process) {
        return new ProcFs().isAlive(process);
    }
}
