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
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.FaultProxy.Seen;
import io.gpusnap.node.tier.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A thaw from a bucket whose last chunk comes late: the driver does not wait for it, and the process does. */
class DriverAheadIT {

    private static final String PROMPT = "warm";
    private static final long LIMIT_SECONDS = 60;

    @TempDir
    Path folder;

    private FaultProxy proxy;
    private String bucket;
    private SnapshotId snapshot;
    private TestWorkload workload;
    private String answer;
    private Seen lastRead;
    private FailingGpu gpu;
    private TestNode node;

    @BeforeEach
    void aSnapshotInABucketWhoseReadingIsKnown() throws Exception {
        TestNatives.require();
        TestCriu.require();
        S3Server server = S3Server.shared();
        bucket = server.bucket();
        proxy = new FaultProxy(server.endpoint());
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
        open("first");
        snapshot = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        node.transfer(snapshot, "s3", StageListener.NONE).succeeded();
        open("second");
        int before = proxy.seen().size();
        thawed();
        lastRead = proxy.seen().stream()
                .skip(before)
                .filter(seen -> seen.isGet() && seen.path().contains("/packs/"))
                .toList()
                .getLast();
        workload.end();
        open("third");
    }

    @AfterEach
    void end() throws Exception {
        if (workload != null) {
            workload.close();
        }
        if (node != null) {
            node.close();
        }
        if (proxy != null) {
            proxy.close();
        }
        for (String name : List.of("first", "second", "third")) {
            TestNode.cleanUp(folder.resolve(name));
        }
    }

    /** Another node, with nothing in its pool and its store. */
    private void open(String name) throws Exception {
        if (node != null) {
            node.close();
        }
        SharedTiers shared = SharedPlace.of(List.of("s3", proxy.endpoint().toString(), bucket, "in-order"));
        Path own = Files.createDirectories(folder.resolve(name));
        node = FailingGpu.node(
                TestNode.sharing(TestNode.settings(own, TestNode.POOL_BYTES), shared), made -> gpu = made);
    }

    private void thawed() throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    /** What happens to the last chunk, when it has been asked for, on the way. */
    private void late(CountDownLatch until, Fault then, AtomicBoolean came) {
        proxy.spoil(seen -> {
            if (!seen.equals(lastRead)) {
                return new Fault.None();
            }
            try {
                came.set(until.await(LIMIT_SECONDS, TimeUnit.SECONDS));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            return then;
        });
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
        late(restored, new Fault.None(), came);
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
        late(restored, new Fault.FlipBit(), came);
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
        late(cancelled, new Fault.None(), new AtomicBoolean());
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
        CountDownLatch asked = new CountDownLatch(1);
        late(asked, new Fault.None(), new AtomicBoolean());
        gpu.fail("still", Moment.BEFORE, 1, GpuStatus.PERMISSION);
        gpu.before("still", asked::countDown);
        thawed();
        assertThat(gpu.hasFailed()).isTrue();
    }

    @Test
    void aDriverThatFailsMeanwhileFailsTheThaw() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        late(asked, new Fault.None(), new AtomicBoolean());
        gpu.fail("restore", Moment.BEFORE, 1);
        gpu.before("restore", asked::countDown);
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot, Optional.empty(), StageListener.NONE)
                .failed();
        assertThat(failed.code()).isEqualTo(FailureCode.DRIVER_FAILED);
        assertThat(failed.stage()).contains("driver-restore");
        assertThat(failed.undoProblems()).isEmpty();
    }
}
