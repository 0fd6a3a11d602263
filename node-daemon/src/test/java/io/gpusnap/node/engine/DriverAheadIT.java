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
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.s3.FaultProxy;
import io.gpusnap.node.tier.s3.FaultProxy.Fault;
import io.gpusnap.node.tier.s3.S3Server;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A thaw whose host memory is here and whose device memory comes late from a bucket: the driver does not wait for it. */
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
    private FailingGpu gpu;
    private TestNode node;

    @BeforeEach
    void aSnapshotWhoseDeviceMemoryIsOnlyInABucket() throws Exception {
        TestNatives.require();
        TestCriu.require();
        S3Server server = S3Server.shared();
        bucket = server.bucket();
        proxy = new FaultProxy(server.endpoint());
        TestNode.driverAhead(folder);
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer(PROMPT);
        snapshot = savedToTheBucket(workload);
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
        if (proxy != null) {
            proxy.close();
        }
        TestNode.cleanUp(folder);
    }

    /** No node is open then. */
    private SnapshotId savedToTheBucket(TestWorkload saved) throws Exception {
        open(EngineSettings.DRIVER_CALL_LIMIT);
        SnapshotId id = node.save(EngineId.CRIU_CUDA, saved, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        node.transfer(id, "s3", StageListener.NONE).succeeded();
        Manifest manifest = node.engines().manifest(id);
        node.close();
        TestNode.cleanUp(folder); // what is in the pool
        Set<String> device = digests(manifest.device().allocations().stream().flatMap(one -> one.chunks().stream()));
        device.removeAll(digests(Stream.concat(
                manifest.host().files().stream().flatMap(one -> one.chunks().stream()),
                manifest.host().areas().stream().flatMap(one -> one.chunks().stream()))));
        assertThat(device).isNotEmpty();
        for (String digest : device) {
            Files.delete(folder.resolve("nvme/chunks/" + digest.substring(0, 2) + "/" + digest));
        }
        return id;
    }

    private static Set<String> digests(Stream<ChunkRef> chunks) {
        return chunks.flatMap(chunk -> chunk.content().stream())
                .map(ChunkDigest::hex)
                .collect(Collectors.toCollection(HashSet::new));
    }

    /** @param limit for the driver's calls */
    private void open(Duration limit) throws Exception {
        if (node != null) {
            node.close();
        }
        SharedTiers shared = SharedPlace.of(List.of("s3", proxy.endpoint().toString(), bucket, "in-order"));
        EngineSettings settings = TestNode.sharing(TestNode.settings(folder, TestNode.POOL_BYTES), shared);
        node = FailingGpu.node(TestNode.impatient(settings, limit), made -> gpu = made);
    }

    private void thawed() throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer(PROMPT)).isEqualTo(answer);
    }

    /** What happens to each piece of device memory on its way. */
    private void onTheWay(Supplier<Fault> what) {
        proxy.spoil(seen -> seen.isGet() && seen.path().contains("/packs/") ? what.get() : new Fault.None());
    }

    private void late(CountDownLatch until, Fault then, AtomicBoolean came) {
        onTheWay(() -> {
            came.set(happens(until, LIMIT_SECONDS));
            return then;
        });
    }

    private static boolean happens(CountDownLatch event, long seconds) {
        try {
            return event.await(seconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
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
        // given a last chunk that comes when the driver would have had a second for it
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch restored = new CountDownLatch(1);
        AtomicBoolean early = new AtomicBoolean();
        onTheWay(() -> {
            early.compareAndSet(false, happens(asked, LIMIT_SECONDS) && happens(restored, 1));
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
            SnapshotId both = savedToTheBucket(ranks);
            open(EngineSettings.DRIVER_CALL_LIMIT);
            CountDownLatch restored = new CountDownLatch(2);
            AtomicBoolean came = new AtomicBoolean();
            late(restored, new Fault.None(), came);
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
        onTheWay(() -> {
            if (!came.get()) {
                came.set(happens(begun, LIMIT_SECONDS) && !happens(new CountDownLatch(1), 3));
            }
            return new Fault.None();
        });
        gpu.before("restore", () -> {
            begun.countDown();
            Awaitility.await().atMost(Duration.ofSeconds(LIMIT_SECONDS)).until(came::get);
        });
        // when, then
        thawed();
        assertThat(came).isTrue();
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
