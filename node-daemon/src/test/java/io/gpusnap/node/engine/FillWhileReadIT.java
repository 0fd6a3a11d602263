package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.FailingGpu.Moment;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A thaw of two processes, each on a GPU of its own, whose last chunk of device memory comes late: what is there is filled meanwhile. */
class FillWhileReadIT {

    private static final String PROMPT = "1";

    @TempDir
    Path folder;

    private final CountDownLatch copied = new CountDownLatch(1);
    private final AtomicBoolean came = new AtomicBoolean();
    private LateChunks chunks;
    private SnapshotId snapshot;
    private TestWorkload ranks;
    private String answer;
    private FailingGpu gpu;
    private TestNode node;
    private List<Long> free;

    @BeforeEach
    void aSnapshotWithoutItsLastChunk() throws Exception {
        TestNatives.require();
        TestCriu.require();
        chunks = new LateChunks(folder);
        ranks = TestWorkload.startRanks(folder.resolve("ranks"), "--device", "--spread", "--hooks", "ends");
        answer = ranks.answer(PROMPT);
        snapshot = chunks.save(ranks, FillWhileReadIT::last);
        ranks.end();
        open();
    }

    private void open() throws Exception {
        node = FailingGpu.node(chunks.settings(EngineSettings.DRIVER_CALL_LIMIT), made -> gpu = made);
        gpu.before("copy", copied::countDown);
        free = freeBytes();
    }

    @AfterEach
    void end() throws Exception {
        if (ranks != null) {
            ranks.close();
        }
        if (node != null) {
            node.close();
        }
        if (chunks != null) {
            chunks.close();
        }
        TestNode.cleanUp(folder);
    }

    /** Of the last GPU, and nowhere else. */
    private static Stream<ChunkRef> last(Manifest manifest) {
        List<ChunkRef> all =
                LateChunks.ofDevice(manifest).filter(chunk -> !chunk.isZero()).toList();
        ChunkRef last = all.getLast();
        assertThat(all).containsOnlyOnce(last);
        assertThat(manifest.device().allocations().getFirst().gpuOrdinal())
                .isNotEqualTo(manifest.device().allocations().getLast().gpuOrdinal());
        assertThat(manifest.device().allocations().getLast().chunks()).contains(last);
        return Stream.of(last);
    }

    private List<Long> freeBytes() throws Exception {
        return node.engines().gpus().stream().map(GpuInfo::freeBytes).toList();
    }

    private void assertThatNothingIsLeft() throws Exception {
        assertThat(new ProcFs().stat(ranks.process().pid()).filter(stat -> !stat.isDead()))
                .isEmpty();
        Awaitility.await("device memory is free again").untilAsserted(() -> {
            List<Long> now = freeBytes();
            for (int at = 0; at < free.size(); at++) {
                assertThat(now.get(at)).isGreaterThanOrEqualTo(free.get(at));
            }
        });
        assertThatThePoolIsFree();
    }

    private void assertThatThePoolIsFree() throws Exception {
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier -> assertThat(tier.freeBytes()).isEqualTo(tier.capacityBytes()));
    }

    private void thawed() throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        ranks.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(ranks.answer(PROMPT)).isEqualTo(answer);
        assertThat(thaw.fillBytesPerSecond()).isPositive();
        assertThatThePoolIsFree();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void oneGpuIsFilledBeforeTheLastChunkOfTheOtherIsThere(boolean driverAhead) throws Exception {
        if (driverAhead) {
            node.close();
            TestNode.driverAhead(folder);
            open();
        }
        chunks.late(copied, new Fault.None(), came);
        thawed();
        assertThat(came).as("copied before the last chunk was there").isTrue();
    }

    @Test
    void aLastChunkThatIsDamagedFailsTheThawAndNothingIsLeft() throws Exception {
        chunks.late(copied, new Fault.FlipBit(), came);
        assertThawFails(FailureCode.CHUNK_CORRUPT);
    }

    @Test
    void aLastChunkThatIsMissingFailsTheThawAndNothingIsLeft() throws Exception {
        chunks.late(copied, new Fault.Status(404), came);
        assertThawFails(FailureCode.CHUNK_MISSING);
    }

    private void assertThawFails(FailureCode code) throws Exception {
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(came).isTrue();
        assertThat(failed.code()).as(failed.detail()).isEqualTo(code);
        assertThat(failed.stage()).contains("verify");
        assertThat(failed.undoProblems()).isEmpty();
        assertThatNothingIsLeft();
    }

    @Test
    void aThawThatIsCancelledMeanwhileLeavesNothing() throws Exception {
        CountDownLatch cancelled = new CountDownLatch(1);
        chunks.late(cancelled, new Fault.None(), came);
        OperationOutcome outcome =
                node.cancelledWhen(copied, snapshot, cancelled::countDown).outcome();
        assertThat(outcome).isInstanceOf(OperationOutcome.Cancelled.class);
        assertThatNothingIsLeft();
        // and the next one is as good as any
        thawed();
    }

    @Test
    void aGpuThatFailsMeanwhileFailsTheThawWhenAllIsRead() throws Exception {
        gpu.fail("copy", Moment.BEFORE, 1);
        chunks.late(copied, new Fault.None(), came);
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(came).isTrue();
        assertThat(failed.code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(failed.stage()).contains("fill");
        assertThat(failed.undoProblems()).isEmpty();
        assertThatNothingIsLeft();
    }
}
