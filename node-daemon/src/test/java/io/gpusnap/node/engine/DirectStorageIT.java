package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.gpu.StorageInfo;
import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.engine.device.StoragePolicy.Use;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Chunks that the pool lacks go from their files into device memory, through the stand-in of cuFile. */
class DirectStorageIT {

    @TempDir
    Path folder;

    private FailingGpu gpu;
    private TestNode node;
    private TestWorkload workload;
    private String answer;
    private TierKeys keys = TierKeys.none();

    @BeforeEach
    void start() throws Exception {
        TestNatives.require();
        TestCriu.require();
        node = open(Use.ALWAYS, UnaryOperator.identity());
        workload = TestWorkload.start(folder.resolve("workload"));
        answer = workload.answer("warm");
    }

    private TestNode open(Use use, UnaryOperator<StorageInfo> disguise) throws Exception {
        StoragePolicy policy = new StoragePolicy(use, Optional.of(TestNatives.cufile()));
        EngineSettings settings = TestNode.sharing(
                TestNode.settings(folder, TestNode.POOL_BYTES, policy),
                new SharedTiers(Optional.empty(), Optional.empty(), 0, keys));
        return FailingGpu.node(settings, made -> {
            gpu = made;
            gpu.disguiseStorage(disguise);
        });
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

    private SaveOutcome save() throws Exception {
        SaveOutcome save = node.save(EngineId.CRIU_CUDA, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class);
        Awaitility.await().until(() -> !new ProcFs().isAlive(workload.process()));
        return save;
    }

    private SnapshotId saved() throws Exception {
        return save().snapshot();
    }

    /** As if another node had written it: nothing of it is in the pool. */
    private SnapshotId savedAndCold() throws Exception {
        SnapshotId snapshot = saved();
        withAnEmptyPool();
        return snapshot;
    }

    private void withAnEmptyPool() throws Exception {
        node.close();
        Path pool = TestNode.settings(folder, TestNode.POOL_BYTES).poolPath();
        Files.delete(pool);
        Files.delete(pool.resolveSibling("pool.index"));
        node = open(Use.ALWAYS, UnaryOperator.identity());
    }

    private void thawed(SnapshotId snapshot) throws Exception {
        ThawOutcome thaw = node.thaw(EngineId.CRIU_CUDA, snapshot).succeeded().fact(ThawOutcome.class);
        workload.became(new ProcessId(thaw.pid(), thaw.startTimeTicks()));
        assertThat(workload.answer("warm")).isEqualTo(answer);
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.MEMORY)
                .singleElement()
                .satisfies(tier -> assertThat(tier.freeBytes()).isEqualTo(tier.capacityBytes()));
    }

    /** With content, repeated ones too: each place is read. */
    private List<ChunkRef> deviceChunks(SnapshotId snapshot) throws Exception {
        return node.engines().manifest(snapshot).device().allocations().stream()
                .flatMap(allocation -> allocation.chunks().stream())
                .filter(chunk -> !chunk.isZero())
                .toList();
    }

    @Test
    void aThawReadsWhatThePoolLacksStraightIntoDeviceMemory() throws Exception {
        SnapshotId snapshot = savedAndCold();

        thawed(snapshot);

        assertThat(gpu.filesRead()).isEqualTo(deviceChunks(snapshot).size()).isPositive();
        long device = deviceChunks(snapshot).stream()
                .distinct()
                .mapToLong(ChunkRef::sizeBytes)
                .sum();
        assertThat(node.engines().inspect(snapshot).hotBytes())
                .as("device memory took no room in the pool")
                .isLessThan(device / 2);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void compressedChunksComeTheOrdinaryWay(boolean encrypts) throws Exception {
        keys = TestNode.ownStore(encrypts, true);
        reopen(Use.ALWAYS, UnaryOperator.identity());
        SaveOutcome save = save();
        SnapshotId snapshot = save.snapshot();
        assertThat(node.engines().tiers())
                .filteredOn(tier -> tier.kind() == TierKind.NVME)
                .singleElement()
                .satisfies(tier -> {
                    assertThat(save.totals().storedBytes()).isEqualTo(tier.usedBytes());
                    assertThat(save.copyBytes()).isEqualTo(tier.usedBytes());
                });
        withAnEmptyPool();
        List<ChunkRef> device = deviceChunks(snapshot);
        long plain = 0;
        for (ChunkRef chunk : device) {
            plain += Files.size(file(chunk)) == chunk.sizeBytes() ? 1 : 0;
        }
        assertThat(plain).isLessThan(device.size());

        thawed(snapshot);

        assertThat(gpu.filesRead()).isEqualTo(plain);
    }

    @ParameterizedTest
    @CsvSource({"true, false, nvme.encrypt", "false, true, nvme.compress", "true, true, nvme.encrypt"})
    void whereTheStoreWritesOtherBytesThanChunksItIsUsedOnlyWhenAskedFor(
            boolean encrypts, boolean compresses, String setting) throws Exception {
        keys = TestNode.ownStore(encrypts, compresses);
        AtomicInteger asked = new AtomicInteger();
        reopen(Use.AUTO, found -> {
            asked.incrementAndGet();
            return new StorageInfo(true, true, "straight");
        });
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason()).contains(setting + " = true").contains("storage.direct = always");
        assertThat(asked).as("looks for cuFile").hasValue(0);

        reopen(Use.ALWAYS, UnaryOperator.identity());
        assertThat(capability().available()).isTrue();
        assertThat(capability().reason())
                .startsWith("compatibility mode")
                .contains(setting + " = true")
                .contains("storage.direct = auto");
    }

    @Test
    void whatIsInThePoolIsNotReadAgain() throws Exception {
        thawed(saved());

        assertThat(gpu.filesRead()).isZero();
    }

    @Test
    void aSpoiltChunkStopsTheThawBeforeAnythingRuns() throws Exception {
        SnapshotId snapshot = savedAndCold();
        spoil(deviceChunks(snapshot).getLast(), 0);

        assertThatItFails(snapshot, FailureCode.CHUNK_CORRUPT);

        assertThat(folder.resolve("nvme/quarantine")).isNotEmptyDirectory();
        assertThatItFails(snapshot, FailureCode.CHUNK_MISSING);
    }

    @Test
    void aChunkThatWasCutStopsTheThawBeforeAnythingRuns() throws Exception {
        SnapshotId snapshot = savedAndCold();
        spoil(deviceChunks(snapshot).getFirst(), 1);

        assertThatItFails(snapshot, FailureCode.CHUNK_CORRUPT);
    }

    @Test
    void whenCuFileFailsTheOrdinaryWayIsTaken() throws Exception {
        SnapshotId snapshot = savedAndCold();
        for (GpuStatus status : List.of(GpuStatus.IO, GpuStatus.DRIVER, GpuStatus.UNSUPPORTED)) {
            gpu.fail("read", FailingGpu.Moment.BEFORE, Integer.MAX_VALUE, status);
            thawed(snapshot);
            assertThat(gpu.filesRead()).as("%s", status).isZero();
            workload.end();
            withAnEmptyPool();
        }
        // and once in the middle
        gpu.fail("read", FailingGpu.Moment.AFTER, 1, GpuStatus.IO);
        thawed(snapshot);
        assertThat(gpu.hasFailed()).isTrue();
        assertThat(gpu.filesRead()).isPositive();
    }

    @Test
    void whenARealReadFailsHalfWayTheOrdinaryWayIsTaken() throws Exception {
        SnapshotId snapshot = savedAndCold();
        Path rules = TestNatives.failureRules();
        try {
            Files.writeString(rules, "cuFileRead@3=999");
            thawed(snapshot);
        } finally {
            Files.delete(rules);
        }
        assertThat(gpu.filesRead()).isLessThan(deviceChunks(snapshot).size());
    }

    @Test
    void aByteThatChangedOnTheWayIsReadAgainTheOrdinaryWay() throws Exception {
        SnapshotId snapshot = savedAndCold();
        gpu.spoilNextRead();

        thawed(snapshot);

        assertThat(gpu.hasSpoilt()).isTrue();
        assertThat(folder.resolve("nvme/quarantine")).isEmptyDirectory();
    }

    @Test
    void aFrozenProcessIsStillVerifiedBeforeItIsTouched() throws Exception {
        SnapshotId snapshot = node.save(EngineId.SUSPEND, workload, AfterSave.STOP)
                .succeeded()
                .fact(SaveOutcome.class)
                .snapshot();
        withAnEmptyPool();
        spoil(deviceChunks(snapshot).getFirst(), 0);

        OperationOutcome.Failed failed = node.thaw(EngineId.SUSPEND, snapshot).failed();

        assertThat(failed.code()).isEqualTo(FailureCode.CHUNK_CORRUPT);
        assertThat(failed.stage()).contains("verify");
        assertThat(new ProcFs().isAlive(workload.process())).isTrue();
        assertThat(gpu.filesRead()).isZero();
    }

    @Test
    void theCapabilitySaysWhetherItIsUsedAndWhy() throws Exception {
        assertThat(capability())
                .isEqualTo(new Capability(
                        "direct-storage", true, "compatibility mode: the nvidia-fs kernel module is not loaded"));

        reopen(Use.AUTO, UnaryOperator.identity());
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason())
                .startsWith("the nvidia-fs kernel module is not loaded")
                .contains("storage.direct = always");

        reopen(Use.AUTO, found -> new StorageInfo(true, true, "straight"));
        assertThat(capability()).isEqualTo(new Capability("direct-storage", true, "straight"));

        reopen(Use.AUTO, found -> new StorageInfo(true, false, "through host memory"));
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason()).startsWith("through host memory").contains("always");

        reopen(Use.ALWAYS, found -> new StorageInfo(false, false, "libcufile.so.0 is not installed"));
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason()).contains("is not installed").contains("storage.cufile");

        reopen(Use.NEVER, UnaryOperator.identity());
        assertThat(capability())
                .isEqualTo(new Capability("direct-storage", false, "switched off (storage.direct = never)"));
    }

    @Test
    void aFileSystemThatCuFileDoesNotServeIsFoundAtTheStartAndTheOrdinaryWayIsTaken() throws Exception {
        SnapshotId snapshot = savedAndCold();
        Path rules = TestNatives.failureRules();
        try {
            Files.writeString(rules, "cuFileHandleRegister=5027");
            reopen(Use.ALWAYS, UnaryOperator.identity());
        } finally {
            Files.delete(rules);
        }
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason()).contains("5027").contains("/run/udev/data");
        assertThat(folder.resolve("nvme/tmp")).isEmptyDirectory();

        thawed(snapshot);

        assertThat(gpu.filesRead()).isZero();
    }

    @Test
    void aCuFileThatDoesNotStartDoesNotKeepTheDaemonFromStarting() throws Exception {
        node.close();
        CountDownLatch never = new CountDownLatch(1);
        EngineSettings settings = TestNode.settings(
                folder, TestNode.POOL_BYTES, new StoragePolicy(Use.ALWAYS, Optional.of(TestNatives.cufile())));
        node = FailingGpu.node(TestNode.impatient(settings, Duration.ofSeconds(1)), made -> {
            gpu = made;
            gpu.disguiseStorage(found -> {
                try {
                    never.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                return found;
            });
        });
        assertThat(capability().available()).isFalse();
        assertThat(capability().reason()).contains("cuda.callLimitSeconds").contains("storage.direct = never");
        never.countDown();
    }

    private void reopen(Use use, UnaryOperator<StorageInfo> disguise) throws Exception {
        node.close();
        node = open(use, disguise);
    }

    private Capability capability() {
        return node.engines().capabilities().stream()
                .filter(one -> one.name().equals("direct-storage"))
                .findFirst()
                .orElseThrow();
    }

    private Path file(ChunkRef chunk) {
        return folder.resolve("nvme/chunks/" + chunk.digest().substring(0, 2) + "/" + chunk.digest());
    }

    private void spoil(ChunkRef chunk, int cutBytes) throws Exception {
        Path file = file(chunk);
        byte[] bytes = Files.readAllBytes(file);
        bytes[bytes.length / 2] ^= 1;
        Files.write(file, Arrays.copyOf(bytes, bytes.length - cutBytes));
    }

    private void assertThatItFails(SnapshotId snapshot, FailureCode code) throws Exception {
        OperationOutcome.Failed failed = node.thaw(EngineId.CRIU_CUDA, snapshot).failed();
        assertThat(failed.code()).as(failed.detail()).isEqualTo(code);
        assertThat(failed.undoProblems()).isEmpty();
        Awaitility.await("nothing half-alive")
                .until(() -> new ProcFs()
                        .stat(workload.process().pid())
                        .filter(stat -> !stat.isDead())
                        .isEmpty());
    }
}
