package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.FailingGpu.Moment;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A thaw whose host memory is here and whose device memory comes late from a bucket: the driver does not wait for it. */
class DriverAheadIT {

    private static final String PROMPT = "warm";

    @TempDir
    Path folder;

    private LateChunks chunks;
    private SnapshotId snapshot;
    private TestWorkload workload;
    private String answer;
    private FailingGpu gpu;
    private TestNode node;

    @BeforeEach
    void aSnapshotWhoseDeviceMemoryIsOnlyInABucket() throws Exception {
        TestNatives.require();
        TestCriu.require();
        TestNode.driverAhead(folder);
        chunks = new LateChunks(folder);
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
        snapshot = chunks.save(workload, LateChunks::ofDevice);
        open(EngineSettings.DRIVER_CALL_LIMIT);
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        if (chunks != null) {
            chunks.close();
        }
        TestNode.cleanUp(folder);
    }

    /** @param limit for the driver's calls */
    private void open(Duration limit) throws Exception {
        if (node != null) {
            node.close();
        }
        node = FailingGpu.node(chunks.settings(limit), made -> gpu = made);
    }

    private void thawed() throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    private long freeBytes() throws Exception {
        return node.engines().gpus().getFirst().freeBytes();
    }

    /** States of the threads of whoever is restored, as the kernel names them, and how many are in each. */
    private static Map<Character, Integer> states(int pid) {
        Map<Character, Integer> states = new TreeMap<>();
        ProcFs proc = new ProcFs();
        for (int task : proc.taskIds(pid)) {
            proc.stat(task).ifPresent(stat -> states.merge(stat.state(), 1, Integer::sum));
        }
        return states;
    }

    @Test
    void theDriverRestoresInOneThreadWhileTheLastChunkIsStillRead() throws Exception {
        // given
        CountDownLatch restored = new CountDownLatch(1);
        AtomicBoolean came = new AtomicBoolean();
        List<Map<Character, Integer>> states = new ArrayList<>();
        chunks.late(restored, new Fault.None(), came);
        gpu.after("restore", pid -> {
            states.add(states(pid));
            restored.countDown();
        });
        // when
        thawed();
        // then
        assertThat(came).as("restored before the last chunk was there").isTrue();
        int threads = states.getFirst().values().stream().mapToInt(one -> one).sum();
        assertThat(states.getFirst().get('t')).as("held of %s", states).isEqualTo(threads - 1);
    }

    @Test
    void aChunkThatTurnsOutDamagedEndsTheProcessBeforeItHasRun() throws Exception {
        // given
        long free = freeBytes();
        CountDownLatch restored = new CountDownLatch(1);
        AtomicBoolean came = new AtomicBoolean();
        chunks.late(restored, new Fault.FlipBit(), came);
        List<Integer> pids = new ArrayList<>();
        gpu.after("restore", pid -> {
            pids.add(pid);
            restored.countDown();
        });
        // when
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        // then
        assertThat(came).isTrue();
        assertThat(failed.code()).isIn(FailureCode.CHUNK_CORRUPT, FailureCode.CHUNK_MISSING);
        assertThat(failed.stage()).contains("verify");
        assertThat(failed.undoProblems()).isEmpty();
        assertGone(pids.getFirst());
        Awaitility.await().until(() -> freeBytes() >= free);
    }

    private static void assertGone(int pid) {
        assertThat(new ProcFs().stat(pid).filter(stat -> !stat.isDead())).isEmpty();
    }

    @Test
    void aThawThatIsCancelledMeanwhileLeavesNothing() throws Exception {
        long free = freeBytes();
        CountDownLatch cancelled = new CountDownLatch(1);
        chunks.late(cancelled, new Fault.None(), new AtomicBoolean());
        List<Integer> pids = new ArrayList<>();
        CountDownLatch restored = new CountDownLatch(1);
        gpu.after("restore", pid -> {
            pids.add(pid);
            restored.countDown();
        });
        OperationOutcome outcome =
                node.cancelledWhen(restored, snapshot, cancelled::countDown).outcome();
        assertThat(outcome).isInstanceOf(OperationOutcome.Cancelled.class);
        assertGone(pids.getFirst());
        Awaitility.await().until(() -> freeBytes() >= free);
    }

    @Test
    void whereThreadsCannotBeHeldTheDriverComesAfterTheLastChunk() throws Exception {
        // given a last chunk that comes when the driver would have had a second for it
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch restored = new CountDownLatch(1);
        AtomicBoolean early = new AtomicBoolean();
        chunks.onTheWay(() -> {
            early.compareAndSet(
                    false, LateChunks.happens(asked, LateChunks.LIMIT_SECONDS) && LateChunks.happens(restored, 1));
            return new Fault.None();
        });
        gpu.fail("still", Moment.BEFORE, 1, GpuStatus.PERMISSION);
        gpu.before("still", asked::countDown);
        gpu.after("restore", pid -> restored.countDown());
        // when
        thawed();
        // then
        assertThat(gpu.hasFailed()).isTrue();
        assertThat(early).isFalse();
    }

    @Test
    void allCudaProcessesOfATreeAreRestoredMeanwhile() throws Exception {
        // given
        TestWorkload ranks =
                TestWorkload.startRanks(folder.resolve("ranks"), "--device", "--spread", "--hooks", "ends");
        try {
            String before = ranks.answer("1");
            node.close();
            SnapshotId both = chunks.save(ranks, LateChunks::ofDevice);
            open(EngineSettings.DRIVER_CALL_LIMIT);
            CountDownLatch restored = new CountDownLatch(2);
            AtomicBoolean came = new AtomicBoolean();
            chunks.late(restored, new Fault.None(), came);
            gpu.after("restore", pid -> restored.countDown());
            // when
            ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, both).succeeded().fact(ThawOutcome.class);
            ranks.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
            // then
            assertThat(came).isTrue();
            assertThat(ranks.answer("1")).isEqualTo(before);
        } finally {
            ranks.close();
        }
    }

    @Test
    void aDriverThatWaitsForAThreadThatStandsStillIsNotLateBeforeThatGoesOn() throws Exception {
        // given a driver that takes longer than it may, as long as nothing else of the process runs
        open(Duration.ofSeconds(1));
        CountDownLatch begun = new CountDownLatch(1);
        AtomicBoolean came = new AtomicBoolean();
        chunks.onTheWay(() -> {
            if (!came.get()) {
                came.set(LateChunks.happens(begun, LateChunks.LIMIT_SECONDS)
                        && !LateChunks.happens(new CountDownLatch(1), 3));
            }
            return new Fault.None();
        });
        gpu.before("restore", () -> {
            begun.countDown();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(LateChunks.LIMIT_SECONDS))
                    .until(came::get);
        });
        // when, then
        thawed();
        assertThat(came).isTrue();
    }

    @Test
    void aDriverThatFailsMeanwhileFailsTheThaw() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        chunks.late(asked, new Fault.None(), new AtomicBoolean());
        gpu.fail("restore", Moment.BEFORE, 1);
        gpu.before("restore", asked::countDown);
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot, Optional.empty(), StageListener.NONE)
                .failed();
        assertThat(failed.code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(failed.stage()).contains("driver-restore");
        assertThat(failed.undoProblems()).isEmpty();
    }
}
