package io.gpusnap.node.engine;

import io.gpusnap.node.criu.TestCriu;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.engine.device.RebuildablePolicy;
import io.gpusnap.node.engine.device.StoragePolicy;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.Journal;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.OperationLog;
import io.gpusnap.node.operation.OperationOutcome;
import io.gpusnap.node.operation.OperationRunner;
import io.gpusnap.node.operation.OperationSpec;
import io.gpusnap.node.operation.RunningOperation;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StageListener;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.FaultyDisk;
import io.gpusnap.node.tier.Quarantine;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.key.KeyRing;
import io.gpusnap.node.tier.key.ManifestSigner;
import io.gpusnap.node.tier.pack.Compression;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;

/** Engines over folders of their own, on the simulated driver, with the journal that the daemon has. */
final class TestNode implements AutoCloseable {

    /** Looks at the store are a test's own. */
    private static final Duration SWEEP_PERIOD = Duration.ofDays(1);

    static final long POOL_BYTES = 256L << 20;

    private static final String HUGE_PAGES = "huge-pages";

    private static final String FILL_AFTER = "fill-after";
    private static final String DRIVER_AHEAD = "driver-ahead";

    private static final ProcessId NOBODY = new ProcessId(1, 0);

    /** What was asked for, as a record that a journal keeps. */
    record Request(
            OperationId operation,
            String engine,
            SnapshotId snapshot,
            ProcessId workload,
            AfterSave afterSave,
            SuspendDepth depth,
            String manifestDigest,
            Map<Integer, String> gpuRemap,
            Optional<ContainerRef> container,
            Optional<AnswerProbe> probe) {}

    /** How an operation ended and what it remembered. */
    record Ended(OperationOutcome outcome, OperationLog log) {

        Ended succeeded() {
            if (!(outcome instanceof OperationOutcome.Succeeded)) {
                throw new AssertionError("the operation did not succeed: " + outcome);
            }
            return this;
        }

        OperationOutcome.Failed failed() {
            if (outcome instanceof OperationOutcome.Failed failed) {
                return failed;
            }
            throw new AssertionError("the operation did not fail: " + outcome);
        }

        <T extends Record> T fact(Class<T> type) {
            return log.recall(type).orElseThrow(() -> new AssertionError("no " + type.getSimpleName()));
        }
    }

    private final Engines engines;
    private final Journal journal;

    private TestNode(Engines engines, Journal journal) {
        this.engines = engines;
        this.journal = journal;
    }

    /** Pool and scratch are on tmpfs, as they are on a node. */
    private static Path shm(Path folder) {
        return Path.of("/dev/shm/gpusnap-test").resolve(folder.toString().replace('/', '_'));
    }

    /** To be called when a test has ended: tmpfs is memory. */
    static void cleanUp(Path folder) throws Exception {
        Folders.delete(shm(folder));
    }

    /** From now on nodes of this folder mount huge pages on scratch, also one in another JVM. */
    static void hugePages(Path folder) throws Exception {
        Files.createFile(folder.resolve(HUGE_PAGES));
    }

    /** From now on nodes of this folder fill device memory after its process is there, also one in another JVM. */
    static void fillAfter(Path folder) throws Exception {
        Files.createFile(folder.resolve(FILL_AFTER));
    }

    /** From now on nodes of this folder have the driver begin while chunks are read, also one in another JVM. */
    static void driverAhead(Path folder) throws Exception {
        Files.createFile(folder.resolve(DRIVER_AHEAD));
    }

    static EngineSettings settings(Path folder, long poolBytes) throws Exception {
        return settings(folder, poolBytes, StoragePolicy.never());
    }

    static EngineSettings settings(Path folder, long poolBytes, StoragePolicy storage) throws Exception {
        Path shm = Files.createDirectories(shm(folder));
        return new EngineSettings(
                folder.resolve("state"),
                folder.resolve("nvme"),
                0,
                SWEEP_PERIOD,
                Quarantine.Limits.DEFAULT,
                shm.resolve("pool"),
                poolBytes,
                shm.resolve("scratch"),
                Files.exists(folder.resolve(HUGE_PAGES)),
                TestCriu.path(),
                TestNatives.folder(),
                Optional.of(TestNatives.simulatedDriver()),
                2,
                new RebuildablePolicy(tag -> true, EngineSettings.SLOT_BYTES),
                storage,
                SharedTiers.none(),
                new AheadPolicy(
                        Files.notExists(folder.resolve(FILL_AFTER)), Files.exists(folder.resolve(DRIVER_AHEAD))),
                EngineSettings.DRIVER_CALL_LIMIT);
    }

    static TestNode open(Path folder) throws Exception {
        return open(settings(folder, POOL_BYTES), UnaryOperator.identity());
    }

    /** @param limit for the driver's calls */
    static EngineSettings impatient(EngineSettings own, Duration limit) {
        return with(own, own.criu(), own.shared(), limit);
    }

    /** A tenant's, by which also the node's own store is encrypted. */
    static TierKeys keysOfItsOwnDiskToo() {
        return ownStore(true, false);
    }

    /** A tenant's key, and what is done by it, or without it, to chunks of the node's own store. */
    static TierKeys ownStore(boolean encrypts, boolean compresses) {
        return new TierKeys(
                "tenant-a",
                Optional.empty(),
                Compression.OFF,
                Optional.of(KeyRing.ofHex("0123456789abcdef".repeat(4))),
                ManifestSigner.none(),
                encrypts,
                compresses);
    }

    /** @param shared what the node shares with others */
    static EngineSettings sharing(EngineSettings own, SharedTiers shared) {
        return with(own, own.criu(), shared, own.driverCallLimit());
    }

    /** @param criu instead of the one that was found */
    static EngineSettings withCriu(EngineSettings own, Path criu) {
        return with(own, Optional.of(criu), own.shared(), own.driverCallLimit());
    }

    /** @param period between two looks for what nothing names */
    static EngineSettings sweeping(EngineSettings own, Duration period) {
        return with(own, own.criu(), own.shared(), own.driverCallLimit(), period, own.quarantine());
    }

    /** @param quarantine how much of what was damaged is kept */
    static EngineSettings keeping(EngineSettings own, Quarantine.Limits quarantine) {
        return with(own, own.criu(), own.shared(), own.driverCallLimit(), own.nvmeSweepPeriod(), quarantine);
    }

    private static EngineSettings with(
            EngineSettings own, Optional<Path> criu, SharedTiers shared, Duration driverCallLimit) {
        return with(own, criu, shared, driverCallLimit, own.nvmeSweepPeriod(), own.quarantine());
    }

    private static EngineSettings with(
            EngineSettings own,
            Optional<Path> criu,
            SharedTiers shared,
            Duration driverCallLimit,
            Duration nvmeSweepPeriod,
            Quarantine.Limits quarantine) {
        return new EngineSettings(
                own.stateDir(),
                own.nvmeRoot(),
                own.nvmeReserveBytes(),
                nvmeSweepPeriod,
                quarantine,
                own.poolPath(),
                own.poolBytes(),
                own.scratchDir(),
                own.scratchHugePages(),
                criu,
                own.nativeDir(),
                own.cudaDriver(),
                own.threads(),
                own.rebuildable(),
                own.storage(),
                shared,
                own.ahead(),
                driverCallLimit);
    }

    /** @param gpu may wrap the node's GPU */
    static TestNode open(EngineSettings settings, UnaryOperator<GpuOpening> gpu) throws Exception {
        return open(settings, gpu, new ProcFs());
    }

    /** @param proc tells of the GPUs' device nodes */
    static TestNode open(EngineSettings settings, UnaryOperator<GpuOpening> gpu, ProcFs proc) throws Exception {
        return open(settings, gpu, proc, StoreRoot::open);
    }

    /** @param bad files of the node's own store that its disk does not give */
    static TestNode open(Path folder, SharedTiers shared, Set<Path> bad) throws Exception {
        EngineSettings own = settings(folder, POOL_BYTES);
        return open(
                with(own, own.criu(), shared, own.driverCallLimit()),
                UnaryOperator.identity(),
                new ProcFs(),
                store -> FaultyDisk.unreadable(store, bad));
    }

    private static TestNode open(
            EngineSettings settings, UnaryOperator<GpuOpening> gpu, ProcFs proc, RuntimeOpening.OwnStore own)
            throws Exception {
        GpuOpening opening = gpu.apply(GpuOpening.of(settings.nativeDir(), settings.cudaDriver()));
        Engines engines = Engines.open(settings, opening, Mounter.SYSTEM, proc, own);
        FactRegistry registry = Engines.facts()
                .plus(FactRegistry.of(
                        Request.class,
                        SaveRequest.class,
                        SwitchRequest.class,
                        ThawRequest.class,
                        TransferRequest.class));
        return new TestNode(engines, Journal.open(settings.stateDir().resolve("journal"), registry));
    }

    /** @param shared what this node shares with others */
    static TestNode open(Path folder, SharedTiers shared) throws Exception {
        return open(folder, shared, POOL_BYTES);
    }

    static TestNode open(Path folder, SharedTiers shared, long poolBytes) throws Exception {
        EngineSettings own = settings(folder, poolBytes);
        return open(with(own, own.criu(), shared, own.driverCallLimit()), UnaryOperator.identity());
    }

    /** Takes slots as an operation would that is then forgotten. */
    void claim(UUID owner, int slots) {
        engines.memory().claim(owner, slots);
    }

    Engines engines() {
        return engines;
    }

    Journal journal() {
        return journal;
    }

    Ended save(EngineId engine, TestWorkload workload, AfterSave afterSave) throws Exception {
        return save(engine, SnapshotId.random(), workload.process(), afterSave, StageListener.NONE);
    }

    Ended save(EngineId engine, SnapshotId snapshot, ProcessId workload, AfterSave afterSave, StageListener listener)
            throws Exception {
        return save(engine, snapshot, workload, afterSave, SuspendDepth.CONTEXT_RELEASED, listener);
    }

    Ended suspend(SuspendDepth depth, SnapshotId snapshot, ProcessId workload, StageListener listener)
            throws Exception {
        return save(EngineId.SUSPEND, snapshot, workload, AfterSave.KEEP_RUNNING, depth, listener);
    }

    /** @param request its operation is the one that runs */
    Ended switchTo(SwitchRequest request, StageListener listener) throws Exception {
        return run(new OperationSpec(request.operation(), OperationKind.SWITCH, request), listener);
    }

    Ended transfer(SnapshotId snapshot, String tier, StageListener listener) throws Exception {
        return transfer(copyTo(snapshot, tier), listener);
    }

    static TransferRequest copyTo(SnapshotId snapshot, String tier) {
        return new TransferRequest(
                OperationId.random(),
                snapshot,
                Optional.empty(),
                TierRef.named(tier),
                Optional.empty(),
                0,
                Traffic.Priority.NORMAL);
    }

    /** @param request its operation is the one that runs */
    Ended transfer(TransferRequest request, StageListener listener) throws Exception {
        return run(new OperationSpec(request.operation(), OperationKind.TRANSFER, request), listener);
    }

    /** @param from what is read first */
    Ended transfer(SnapshotId snapshot, String tier, String from) throws Exception {
        TransferRequest request = new TransferRequest(
                OperationId.random(),
                snapshot,
                Optional.empty(),
                TierRef.named(tier),
                Optional.of(TierRef.named(from)),
                0,
                Traffic.Priority.NORMAL);
        return transfer(request, StageListener.NONE);
    }

    Ended export(SnapshotId snapshot, Path archive, boolean plain, StageListener listener) throws Exception {
        ExportRequest request = new ExportRequest(OperationId.random(), snapshot, archive.toString(), plain, 0);
        return run(new OperationSpec(request.operation(), OperationKind.TRANSFER, request), listener);
    }

    /** What the archive says of itself is what must come. */
    Ended bringIn(Path archive) throws Exception {
        return bringIn(archive, StageListener.NONE);
    }

    Ended bringIn(Path archive, StageListener listener) throws Exception {
        return bringIn(archive, Archives.look(archive), listener);
    }

    /** @param info what the archive was when somebody looked */
    Ended bringIn(Path archive, ArchiveInfo info, StageListener listener) throws Exception {
        ImportRequest request =
                new ImportRequest(OperationId.random(), info.snapshot(), info.manifestDigest(), archive.toString(), 0);
        return run(new OperationSpec(request.operation(), OperationKind.TRANSFER, request), listener);
    }

    Ended evict(SnapshotId snapshot, String tier) throws Exception {
        return plain(OperationKind.EVICT, snapshot, engines.evict(snapshot, TierRef.named(tier)));
    }

    Ended sweep(SweepRequest request) throws Exception {
        return plain(OperationKind.SWEEP, SnapshotId.random(), engines.sweep(request));
    }

    Ended scrub(ScrubRequest request) throws Exception {
        return scrub(request, StageListener.NONE);
    }

    Ended scrub(ScrubRequest request, StageListener listener) throws Exception {
        return plain(OperationKind.SCRUB, SnapshotId.random(), engines.scrub(request), listener);
    }

    private Ended plain(OperationKind kind, SnapshotId snapshot, StagePlan plan) throws Exception {
        return plain(kind, snapshot, plan, StageListener.NONE);
    }

    private Ended plain(OperationKind kind, SnapshotId snapshot, StagePlan plan, StageListener listener)
            throws Exception {
        var running = new OperationRunner(journal, listener).begin(simple(kind, snapshot), plan);
        return new Ended(running.run(), running.log());
    }

    /** A switch that somebody cancels as soon as it is in this stage. */
    Ended cancelledAt(String stage, SwitchRequest request) throws Exception {
        return cancelledAt(stage, new OperationSpec(request.operation(), OperationKind.SWITCH, request));
    }

    /** The same of a thaw. */
    Ended cancelledAt(String stage, SnapshotId snapshot) throws Exception {
        ThawRequest request = thawOf(snapshot, List.of());
        return cancelledAt(stage, new OperationSpec(request.operation(), OperationKind.THAW, request));
    }

    /**
     * A thaw that somebody cancels as soon as this has happened.
     *
     * @param cancelled what happens then
     */
    Ended cancelledWhen(CountDownLatch happened, SnapshotId snapshot, Runnable cancelled) throws Exception {
        ThawRequest request = thawOf(snapshot, List.of());
        OperationSpec spec = new OperationSpec(request.operation(), OperationKind.THAW, request);
        return cancelledWhen(happened, spec, plan(spec), cancelled);
    }

    /** The same of a copy. */
    Ended cancelledWhen(CountDownLatch happened, TransferRequest request) throws Exception {
        OperationSpec spec = new OperationSpec(request.operation(), OperationKind.TRANSFER, request);
        return cancelledWhen(happened, spec, plan(spec), () -> {});
    }

    /** The same of a scrub. */
    Ended cancelledWhen(CountDownLatch happened, ScrubRequest request) throws Exception {
        return cancelledWhen(
                happened, simple(OperationKind.SCRUB, SnapshotId.random()), engines.scrub(request), () -> {});
    }

    /** The same of a sweep. */
    Ended cancelledWhen(CountDownLatch happened, SweepRequest request) throws Exception {
        return cancelledWhen(
                happened, simple(OperationKind.SWEEP, SnapshotId.random()), engines.sweep(request), () -> {});
    }

    private Ended cancelledWhen(CountDownLatch happened, OperationSpec spec, StagePlan plan, Runnable cancelled) {
        RunningOperation running = new OperationRunner(journal, StageListener.NONE).begin(spec, plan);
        Thread.ofVirtual().start(() -> {
            try {
                happened.await();
                running.cancel(FailureCode.CANCELLED, "a test says so");
                cancelled.run();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return new Ended(running.run(), running.log());
    }

    private Ended cancelledAt(String stage, OperationSpec spec) throws Exception {
        AtomicReference<RunningOperation> running = new AtomicReference<>();
        running.set(new OperationRunner(
                        journal,
                        new StageStarts(stage, () -> running.get().cancel(FailureCode.CANCELLED, "a test says so")))
                .begin(spec, plan(spec)));
        return new Ended(running.get().run(), running.get().log());
    }

    /** A save for which the workload has only so long to come to rest. */
    Ended saveWithin(Duration limit, EngineId engine, ProcessId workload) throws Exception {
        SaveRequest request = new SaveRequest(
                OperationId.random(),
                SnapshotId.random(),
                workload,
                AfterSave.STOP,
                SuspendDepth.CONTEXT_RELEASED,
                limit,
                Map.of());
        var running = new OperationRunner(journal, StageListener.NONE)
                .begin(
                        new OperationSpec(request.operation(), OperationKind.SAVE, request),
                        engines.byId(engine).save(request));
        return new Ended(running.run(), running.log());
    }

    private Ended save(
            EngineId engine,
            SnapshotId snapshot,
            ProcessId workload,
            AfterSave afterSave,
            SuspendDepth depth,
            StageListener listener)
            throws Exception {
        OperationId id = OperationId.random();
        return run(
                new OperationSpec(
                        id,
                        OperationKind.SAVE,
                        new Request(
                                id,
                                engine.value(),
                                snapshot,
                                workload,
                                afterSave,
                                depth,
                                "",
                                Map.of(),
                                Optional.empty(),
                                Optional.empty())),
                listener);
    }

    Ended thaw(EngineId engine, SnapshotId snapshot) throws Exception {
        return thaw(engine, snapshot, Optional.empty(), StageListener.NONE);
    }

    Ended thaw(EngineId engine, SnapshotId snapshot, Optional<String> manifestDigest, StageListener listener)
            throws Exception {
        return thaw(engine, snapshot, manifestDigest, Map.of(), listener);
    }

    Ended thawInto(ContainerRef container, SnapshotId snapshot, StageListener listener) throws Exception {
        return thawInto(container, snapshot, Optional.empty(), listener);
    }

    Ended thawInto(ContainerRef container, SnapshotId snapshot, Optional<AnswerProbe> probe, StageListener listener)
            throws Exception {
        OperationId id = OperationId.random();
        return run(
                new OperationSpec(
                        id,
                        OperationKind.THAW,
                        new Request(
                                id,
                                EngineId.CRIU_CUDA.value(),
                                snapshot,
                                NOBODY,
                                AfterSave.KEEP_RUNNING,
                                SuspendDepth.CONTEXT_RELEASED,
                                "",
                                Map.of(),
                                Optional.of(container),
                                probe)),
                listener);
    }

    /** @param sources what is read first */
    Ended thaw(SnapshotId snapshot, List<String> sources, StageListener listener) throws Exception {
        ThawRequest request = thawOf(snapshot, sources);
        return run(new OperationSpec(request.operation(), OperationKind.THAW, request), listener);
    }

    private static ThawRequest thawOf(SnapshotId snapshot, List<String> sources) {
        return new ThawRequest(
                OperationId.random(),
                snapshot,
                Optional.empty(),
                Map.of(),
                Optional.empty(),
                Optional.empty(),
                sources);
    }

    /** @param gpuRemap GPU ordinal in the manifest to GPU UUID here */
    Ended thaw(EngineId engine, SnapshotId snapshot, Map<Integer, String> gpuRemap) throws Exception {
        return thaw(engine, snapshot, Optional.empty(), gpuRemap, StageListener.NONE);
    }

    private Ended thaw(
            EngineId engine,
            SnapshotId snapshot,
            Optional<String> manifestDigest,
            Map<Integer, String> gpuRemap,
            StageListener listener)
            throws Exception {
        OperationId id = OperationId.random();
        Request request = new Request(
                id,
                engine.value(),
                snapshot,
                NOBODY,
                AfterSave.KEEP_RUNNING,
                SuspendDepth.CONTEXT_RELEASED,
                manifestDigest.orElse(""),
                gpuRemap,
                Optional.empty(),
                Optional.empty());
        return run(new OperationSpec(id, OperationKind.THAW, request), listener);
    }

    Ended verify(SnapshotId snapshot) throws Exception {
        return run(simple(OperationKind.VERIFY, snapshot), StageListener.NONE);
    }

    Ended delete(SnapshotId snapshot) throws Exception {
        return delete(snapshot, StageListener.NONE);
    }

    Ended delete(SnapshotId snapshot, StageListener listener) throws Exception {
        return run(simple(OperationKind.DELETE, snapshot), listener);
    }

    private static OperationSpec simple(OperationKind kind, SnapshotId snapshot) {
        OperationId id = OperationId.random();
        return new OperationSpec(
                id,
                kind,
                new Request(
                        id,
                        "suspend",
                        snapshot,
                        NOBODY,
                        AfterSave.KEEP_RUNNING,
                        SuspendDepth.CONTEXT_RELEASED,
                        "",
                        Map.of(),
                        Optional.empty(),
                        Optional.empty()));
    }

    private Ended run(OperationSpec spec, StageListener listener) throws StageException {
        var running = new OperationRunner(journal, listener).begin(spec, plan(spec));
        return new Ended(running.run(), running.log());
    }

    /** What a daemon does at its start with what an earlier one left. */
    Ended recover() throws Exception {
        OperationLog log = journal.unfinished().getFirst();
        engines.forgetAllBut(
                journal.unfinished().stream().map(it -> it.spec().id()).toList());
        return new Ended(
                new OperationRunner(journal, StageListener.NONE)
                        .resume(log, plan(log.spec()))
                        .run(),
                log);
    }

    StagePlan plan(OperationSpec spec) throws StageException {
        if (spec.request() instanceof SwitchRequest to) {
            return engines.switchTo(to);
        }
        if (spec.request() instanceof ThawRequest thaw) {
            return engines.byId(EngineId.CRIU_CUDA).thaw(thaw);
        }
        if (spec.request() instanceof TransferRequest transfer) {
            return engines.transfer(transfer);
        }
        if (spec.request() instanceof ExportRequest export) {
            return engines.exporting(export);
        }
        if (spec.request() instanceof ImportRequest bring) {
            return engines.importing(bring);
        }
        Request request = (Request) spec.request();
        return switch (spec.kind()) {
            case SAVE ->
                engine(request)
                        .save(new SaveRequest(
                                request.operation(),
                                request.snapshot(),
                                request.workload(),
                                request.afterSave(),
                                request.depth(),
                                SaveRequest.QUIESCE_LIMIT,
                                Map.of("image", "test/server:1")));
            case THAW ->
                engine(request)
                        .thaw(new ThawRequest(
                                request.operation(),
                                request.snapshot(),
                                Optional.of(request.manifestDigest()).filter(digest -> !digest.isEmpty()),
                                request.gpuRemap(),
                                request.probe(),
                                request.container(),
                                List.of()));
            case SWITCH -> throw new IllegalStateException("a switch has a request of its own");
            case VERIFY -> engines.verify(request.snapshot());
            case DELETE -> engines.delete(request.snapshot());
            case TRANSFER, EVICT, SWEEP, SCRUB -> throw new IllegalStateException("these have requests of their own");
        };
    }

    private CheckpointEngine engine(Request request) throws StageException {
        return engines.byId(new EngineId(request.engine()));
    }

    @Override
    public void close() {
        engines.close();
    }
}
