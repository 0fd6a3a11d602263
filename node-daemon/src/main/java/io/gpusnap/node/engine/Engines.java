package io.gpusnap.node.engine;

import io.gpusnap.gpu.DriverInfo;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.criu.CriuVersion;
import io.gpusnap.node.engine.device.DeviceContent;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.file.Folders;
import io.gpusnap.node.operation.FactRegistry;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.operation.StagePlan;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.process.Containers;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.snapshot.OrphanSweep;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Quarantine;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierUsage;
import io.gpusnap.node.tier.pack.StoreValidation;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The engines of this node and everything they share. One object a daemon; thread-safe. */
public final class Engines implements AutoCloseable {

    /** Between two looks at who is suspended: a folder with a few files. */
    private static final Duration LEFT_BEHIND_PERIOD = Duration.ofSeconds(2);

    private final NodeRuntime runtime;
    private final Runnable closeScratch;
    private final Runnable closePool;
    private final TierWatch watch;
    private final OrphanWatch orphans;
    private final WatchThread leftBehind;
    private final Residents residents;
    private final SuspendEngine suspend;
    private final List<CheckpointEngine> engines;

    private Engines(RuntimeOpening.Opened opened) {
        this.runtime = opened.runtime();
        this.closeScratch = opened.closeScratch();
        this.closePool = opened.closePool();
        this.watch = new TierWatch(runtime.store().sources().shared());
        Quarantine quarantine = runtime.store().nvme().inQuarantine();
        this.orphans = new OrphanWatch(
                runtime.store().orphans()::look,
                goesOn -> quarantine.look(runtime.settings().quarantine(), Instant.now(), goesOn),
                runtime.settings().nvmeSweepPeriod());
        LeftBehind left = runtime.leftBehind();
        this.leftBehind = new WatchThread("left-behind", LEFT_BEHIND_PERIOD, goesOn -> left.look());
        this.residents = new Residents(runtime.store());
        this.suspend = new SuspendEngine(runtime);
        this.engines = List.of(new CriuCudaEngine(runtime), suspend);
    }

    /**
     * Opens store and pool and probes the node. A missing GPU or CRIU is no failure: {@link #capabilities} tells.
     *
     * @throws StageException STORE_ERROR when store, pool or scratch cannot be used; the detail names the setting's path, and the
     *     cause is an UnsafeFolderException when another user could look into pool or scratch
     */
    public static Engines open(EngineSettings settings) throws StageException, InterruptedException {
        return open(settings, GpuOpening.of(settings.nativeDir(), settings.cudaDriver()));
    }

    static Engines open(EngineSettings settings, GpuOpening opening) throws StageException, InterruptedException {
        return open(settings, opening, Mounter.SYSTEM, new ProcFs(), StoreRoot::open);
    }

    static Engines open(
            EngineSettings settings, GpuOpening opening, Mounter mounter, ProcFs proc, RuntimeOpening.OwnStore own)
            throws StageException, InterruptedException {
        return new Engines(RuntimeOpening.open(settings, opening, mounter, proc, own));
    }

    /**
     * Opens the node to be told about, not to work: no pool is made or page-locked, nothing of it is changed or freed. A plan
     * of these engines must not be run.
     *
     * @throws StageException STORE_ERROR when the store cannot be used
     */
    public static Engines look(EngineSettings settings) throws StageException, InterruptedException {
        return new Engines(RuntimeOpening.look(settings));
    }

    /** Every record that stages remember, for the journal. */
    public static FactRegistry facts() {
        return FactRegistry.of(
                SaveSubject.class,
                Pause.class,
                GpusInUse.class,
                ReachableGpus.class,
                DeviceContent.class,
                DrainedBytes.class,
                RefilledBytes.class,
                DriverMemory.class,
                FrozenProcess.class,
                FrozenTree.class,
                StoredManifest.class,
                ClaimedContainer.class,
                RestoreBegun.class,
                RestoredProcess.class,
                RestoredTree.class,
                FoundDepth.class,
                SwitchChoice.class,
                WorkloadLost.class,
                SaveOutcome.class,
                ThawOutcome.class,
                VerifyOutcome.class,
                DeleteOutcome.class,
                DamagedCopies.class,
                TransferCopy.class,
                TransferMoved.class,
                TransferOutcome.class,
                EvictOutcome.class,
                SweepOutcome.class,
                ScrubOutcome.class,
                ExportRequest.class,
                ImportRequest.class,
                ImportBegun.class);
    }

    /** @throws StageException CAPABILITY_MISSING when there is no engine of this name */
    public CheckpointEngine byId(EngineId id) throws StageException {
        return engines.stream()
                .filter(engine -> engine.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new StageException(
                        FailureCode.CAPABILITY_MISSING,
                        "no engine is named " + id + "; there are "
                                + engines.stream()
                                        .map(engine -> engine.id().value())
                                        .collect(Collectors.joining(", "))));
    }

    public List<Capability> capabilities() {
        return new Capabilities(runtime).all();
    }

    /** Takes a moment: every preload is asked. */
    public List<WorkloadInfo> workloads() {
        return new WorkloadLister(runtime).list();
    }

    /**
     * Ends a workload with everything that it has started. What is no workload, or not this very process, is left alone.
     *
     * @throws StageException when something of it is still there after a while
     */
    public void end(ProcessId process) throws StageException {
        if (runtime.workloads().find().stream().noneMatch(one -> one.process().equals(process))) {
            return;
        }
        try {
            runtime.tree().end(process);
        } catch (ProcessException e) {
            throw Failures.typed(e);
        }
    }

    /**
     * Has containers of these pods that wait for a thaw start their own command. What is claimed by a thaw, or runs, is left alone.
     *
     * @return first processes of those that were told
     * @throws StageException when one does not do as it is told; all others have
     */
    public List<ProcessId> startCold(Collection<String> podUids) throws StageException, InterruptedException {
        List<ProcessId> waiting = new Containers(runtime.proc()).waiting(podUids);
        @Nullable StageException trouble = null;
        for (ProcessId init : waiting) {
            try {
                new Placeholder(runtime.proc(), runtime.enter(), init).cold();
            } catch (StageException e) {
                trouble = e;
            }
        }
        if (trouble != null) {
            throw trouble;
        }
        return waiting;
    }

    public GpuUse gpuUse() {
        return new GpuUse(runtime);
    }

    public HostFacts host() {
        return runtime.host();
    }

    /** Empty without a driver. */
    public Optional<DriverInfo> driver() throws StageException {
        try {
            return runtime.gpu().isEmpty()
                    ? Optional.empty()
                    : Optional.of(runtime.gpu().get().driver());
        } catch (GpuException e) {
            throw Failures.typed(e);
        }
    }

    /** Free memory is of this moment. */
    public List<GpuInfo> gpus() throws StageException {
        try {
            return runtime.gpu().isEmpty() ? List.of() : runtime.gpu().get().devices();
        } catch (GpuException e) {
            throw Failures.typed(e);
        }
    }

    public Optional<CriuVersion> criuVersion() {
        return runtime.criuProbe().version();
    }

    /** What a process that is thawed outside of containers sees mounted. */
    public List<String> mountPoints() {
        return runtime.proc().mountPoints((int) ProcessHandle.current().pid());
    }

    /** @throws StageException STORE_ERROR */
    public List<TierUsage> tiers() throws StageException {
        return tierStates(false).stream().map(TierState::usage).toList();
    }

    /**
     * Every tier, a shared one that does not answer with the reason.
     *
     * @param now shared ones are looked at now, however long that takes; else as they were a moment ago
     * @throws StageException STORE_ERROR
     */
    public List<TierState> tierStates(boolean now) throws StageException {
        try {
            return runtime.tiers().states(now ? Tiers::state : watch::last);
        } catch (TierException e) {
            throw Failures.typed(e);
        }
    }

    /**
     * Snapshots of this node's store of which the pinned pool has anything.
     *
     * @throws StageException STORE_ERROR
     */
    public List<Resident> residents() throws StageException {
        try {
            return residents.now();
        } catch (TierException e) {
            throw Failures.typed(e);
        }
    }

    /** Chunks that were found wrong in this daemon's life, by the name of the tier's kind. */
    public Map<String, Long> quarantinedChunks() {
        return runtime.tiers().quarantined();
    }

    /** Trials of the node's own store and of every shared one, by the tier's name; each runs when it is asked. */
    public Map<String, Supplier<List<StoreValidation.Check>>> validateTiers() {
        return runtime.tiers().validations();
    }

    /** What this node can open, and whom it trusts. */
    public TierKeys.Access access() {
        return runtime.settings().shared().keys().access();
    }

    /**
     * The data keys of tiers that are encrypted.
     *
     * @throws StageException STORE_ERROR
     */
    public KeyChains keys() throws StageException {
        try {
            return new KeyChains(runtime.store());
        } catch (TierException e) {
            throw Failures.typed(e);
        }
    }

    /** @throws StageException STORE_ERROR */
    public List<SnapshotId> snapshots() throws StageException {
        try {
            return runtime.store().list();
        } catch (TierException e) {
            throw Failures.typed(e);
        }
    }

    /** @throws StageException CHUNK_MISSING, MANIFEST_INVALID */
    public Manifest manifest(SnapshotId snapshot) throws StageException {
        try {
            return Snapshots.read(runtime.store(), snapshot, Optional.empty());
        } catch (TierException | ManifestException e) {
            throw Failures.typed(e);
        }
    }

    /**
     * Resumes a suspended process and suspends others to make room; leaves {@link ThawOutcome}, and a {@link SaveOutcome} for
     * each that made room. Who makes room keeps its context, and is durable after the other serves.
     */
    public StagePlan switchTo(SwitchRequest request) {
        return suspend.switchTo(request);
    }

    /** Reads every chunk again; leaves {@link VerifyOutcome}. */
    public StagePlan verify(SnapshotId snapshot) {
        return new StagePlan(OperationKind.VERIFY, List.of(new VerifyStage(runtime, snapshot)));
    }

    /** Copies a snapshot into a tier; leaves {@link TransferOutcome}. */
    public StagePlan transfer(TransferRequest request) throws StageException {
        return TransferStages.plan(runtime, request);
    }

    /** Writes a snapshot as an archive; leaves {@link TransferOutcome}. */
    public StagePlan exporting(ExportRequest request) {
        return Archives.exporting(runtime, request);
    }

    /** Brings a snapshot out of an archive into this node's store; leaves {@link TransferOutcome}. */
    public StagePlan importing(ImportRequest request) {
        return Archives.importing(runtime, request);
    }

    /** Removes a snapshot from a tier of this node's own; leaves {@link EvictOutcome}. */
    public StagePlan evict(SnapshotId snapshot, TierRef tier) {
        return new StagePlan(OperationKind.EVICT, List.of(new EvictStage(runtime, snapshot, tier)));
    }

    /** Leaves {@link SweepOutcome}. */
    public StagePlan sweep(SweepRequest request) {
        return new StagePlan(OperationKind.SWEEP, List.of(new SweepStage(runtime, request)));
    }

    /** Leaves {@link ScrubOutcome}. */
    public StagePlan scrub(ScrubRequest request) {
        return new StagePlan(OperationKind.SCRUB, List.of(new ScrubStage(runtime, request)));
    }

    /** Deletes a snapshot and every chunk that nothing else names; leaves {@link DeleteOutcome}. */
    public StagePlan delete(SnapshotId snapshot) {
        return new StagePlan(OperationKind.DELETE, List.of(new DeleteStage(runtime, snapshot)));
    }

    /** @throws StageException CHUNK_MISSING when there is no such snapshot, MANIFEST_INVALID */
    public InspectReport inspect(SnapshotId snapshot) throws StageException {
        try {
            Manifest manifest = manifest(snapshot);
            long present = 0;
            long missing = 0;
            long hot = 0;
            for (ChunkRef chunk : ChunkVerifier.distinct(manifest.chunks().toList())) {
                ChunkDigest digest = new ChunkDigest(chunk.digest());
                if (runtime.store().nvme().contains(digest, chunk.sizeBytes())
                        || runtime.tiers().isShared(digest, chunk.sizeBytes())) {
                    present++;
                } else {
                    missing++;
                }
                if (runtime.store().memory().contains(digest, chunk.sizeBytes())) {
                    hot += chunk.sizeBytes();
                }
            }
            String digest =
                    Snapshots.find(runtime.store(), snapshot, Optional.empty()).digest();
            return new InspectReport(manifest, digest, present, missing, hot);
        } catch (TierException | ManifestException e) {
            throw Failures.typed(e);
        }
    }

    /**
     * To be called once at start, with every operation that the journal has not seen end: frees what operations that nobody
     * remembers have left in the pool and on scratch.
     */
    public void forgetAllBut(Collection<OperationId> remembered) throws StageException {
        Set<String> names = remembered.stream().map(OperationId::toString).collect(Collectors.toSet());
        runtime.store()
                .memory()
                .retainOwners(remembered.stream().map(OperationId::value).toList());
        try {
            for (Path folder : Folders.list(runtime.settings().scratchDir(), "????????-????-????-????-????????????")) {
                if (!names.contains(folder.getFileName().toString())) {
                    Folders.delete(folder);
                }
            }
        } catch (IOException e) {
            throw Failures.typed(e);
        }
    }

    /**
     * From now on, until it is closed, chunks of this node's own store that nothing names are deleted. To be called once everything
     * that an earlier daemon left has ended: what that counts on is named only while it runs.
     */
    public void sweepOrphans() {
        orphans.start();
    }

    /**
     * From now on, until it is closed, what waits with a suspended process that has ended is ended as well. To be called as
     * {@link #sweepOrphans}, for the same reason.
     */
    public void endLeftBehind() {
        leftBehind.start();
    }

    /** What came of that. */
    public OrphanSweep.Counts orphans() {
        return runtime.store().orphans().counts();
    }

    /** Damaged chunks of the node's own store that are kept, and those that are not any more. */
    public Quarantine.Counts inQuarantine() {
        return runtime.store().nvme().inQuarantine().counts();
    }

    /** What this node does for other nodes, and they for it. */
    public FanOut fanOut() {
        return runtime.fanOut();
    }

    /** Bytes of chunks that operations have read in this daemon's life, by the tier that had them. */
    public Map<String, Long> readBytes() {
        return runtime.store().sources().read().bySource();
    }

    MemoryTier memory() {
        return runtime.store().memory();
    }

    @Override
    public void close() {
        watch.close();
        orphans.close();
        leftBehind.close();
        runtime.fanOut().close();
        closeScratch.run();
        runtime.store().close();
        closePool.run();
    }
}
