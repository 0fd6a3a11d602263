package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuInfo;
import io.gpusnap.node.engine.check.Compatibility;
import io.gpusnap.node.engine.check.GpuPlan;
import io.gpusnap.node.engine.check.Refusal;
import io.gpusnap.node.engine.device.CudaProcesses;
import io.gpusnap.node.engine.device.GpuPort;
import io.gpusnap.node.engine.device.TargetPort;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.OnRestart;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.process.ProcessException;
import io.gpusnap.node.process.ProcessId;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Damage;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.snapshot.SnapshotUses;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.Traffic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** What the stages of one thaw share while this daemon lives. */
final class ThawSession {

    private static final Duration CONNECT_LIMIT = Duration.ofSeconds(20);

    private final NodeRuntime runtime;
    private final ThawRequest request;
    private final boolean keepsProcess;
    private final StageTimes times = new StageTimes();
    private Traffic.@Nullable Urgent urgent;
    private SnapshotUses.@Nullable Use use;
    private @Nullable Manifest manifest;
    private @Nullable CudaProcesses kept;
    private @Nullable TargetPort target;
    private final Damage damage = new Damage();
    private final ReadBytes bytes;
    private FanOut.@Nullable Gathered gathered;
    private LoadedChunks loaded = new LoadedChunks();
    private @Nullable ThawLoad load;
    private @Nullable ThawAhead ahead;
    private @Nullable DriverAhead driver;
    private @Nullable ProcessId frozen;
    private double fillBytesPerSecond;
    private @Nullable TargetContainer container;

    /** @param keepsProcess the process was there before the thaw: a failure must not cost it its life if that can be helped */
    ThawSession(NodeRuntime runtime, ThawRequest request, boolean keepsProcess) {
        this.runtime = runtime;
        this.request = request;
        this.keepsProcess = keepsProcess;
        this.bytes = runtime.store().sources().read().ofOperation();
    }

    boolean keepsProcess() {
        return keepsProcess;
    }

    /** A process that was there before is better finished than undone. */
    OnRestart onRestart() {
        return keepsProcess ? OnRestart.RERUN : OnRestart.COMPENSATE;
    }

    NodeRuntime runtime() {
        return runtime;
    }

    ThawRequest request() {
        return request;
    }

    UUID owner() {
        return request.operation().value();
    }

    StageTimes times() {
        return times;
    }

    /** Read once; from then on the snapshot cannot be deleted until the operation has ended. */
    Manifest manifest() throws StageException, TierException, ManifestException {
        Manifest known = manifest;
        if (known == null) {
            urgent = urgent == null ? runtime.traffic().urgent() : urgent;
            if (use == null) {
                use = runtime.store()
                        .use(request.snapshot())
                        .orElseThrow(() -> new StageException(
                                FailureCode.CHUNK_MISSING, "snapshot " + request.snapshot() + " is being deleted"));
            }
            known = Snapshots.read(runtime.store(), request.snapshot(), request.manifestDigest(), stores());
            manifest = known;
            gathered = runtime.fanOut()
                    .gather(
                            request.operation(),
                            request.snapshot(),
                            request.manifestDigest().orElse(""),
                            known.chunks().toList(),
                            stores(),
                            bytes);
        }
        return known;
    }

    /** @throws StageException GPU_MISMATCH */
    GpuPlan gpus(StageContext context) throws StageException, GpuException, TierException, ManifestException {
        GpuPort gpu = runtime.requireGpu();
        List<GpuInfo> devices = gpu.devices();
        Optional<TargetContainer> target = container(context);
        if (target.isPresent()) {
            devices = new DeviceNodes(runtime.proc()).of(target.get().root(), devices);
        }
        GpuPlan plan = GpuPlan.of(manifest(), gpu.driver(), devices, request.gpuRemap());
        for (Refusal refusal : plan.refusals()) {
            throw refusal.asException();
        }
        return plan;
    }

    /**
     * @param madeBytes that the snapshot has there already, by GPU as this node numbers them
     * @throws StageException INSUFFICIENT_VRAM
     */
    void requireVram(GpuPlan plan, Map<Integer, Long> madeBytes)
            throws StageException, TierException, ManifestException {
        for (Refusal refusal : Compatibility.vram(manifest(), plan.devices(), madeBytes)) {
            throw refusal.asException();
        }
    }

    /** Until the operation has ended nobody else asks its preload. */
    void occupy(ProcessId process) {
        frozen = process;
        runtime.busy().set(process, WorkloadInfo.State.SUSPENDED);
    }

    /**
     * Where the thaw goes; empty where it stays among the node's own processes.
     *
     * @throws StageException CONTAINER_NOT_FOUND when it has ended
     */
    Optional<TargetContainer> container(StageContext context) throws StageException {
        if (request.container().isEmpty()) {
            return Optional.empty();
        }
        TargetContainer open = container;
        if (open == null) {
            open = TargetContainer.open(
                    runtime, SaveSession.recall(context, ClaimedContainer.class).init());
            container = open;
        }
        return Optional.of(open);
    }

    /** A long stage begins: the container's placeholder keeps its patience. */
    void renewClaim(StageContext context) throws StageException, InterruptedException {
        Optional<TargetContainer> target = container(context);
        if (target.isPresent()) {
            target.get().placeholder().claim();
        }
    }

    /** Below which the paths of the snapshot begin. */
    Path root(StageContext context) throws StageException {
        return container(context).map(TargetContainer::root).orElse(Path.of("/"));
    }

    static ProcessId process(StageContext context) throws StageException {
        return SaveSession.recall(context, RestoredProcess.class).process();
    }

    /**
     * Ends what came back, or was to. By name, not only as a tree: when the first of them dies, nothing leads to its children any
     * more.
     */
    void endProcesses(StageContext context) throws ProcessException {
        runtime.tree()
                .end(NamedTree.names(
                        context.recall(RestoredProcess.class).map(RestoredProcess::process),
                        context.recall(RestoredTree.class)));
    }

    /** Those of the restored processes that use CUDA. Of a kept process they are the same from the first look on. */
    CudaProcesses cuda(StageContext context) throws StageException {
        CudaProcesses known = kept;
        if (known != null) {
            return known;
        }
        CudaProcesses found = findCuda(context);
        kept = keepsProcess ? found : null;
        return found;
    }

    private CudaProcesses findCuda(StageContext context) throws StageException {
        try {
            Map<Integer, Integer> pids = pidsOfTasks(context);
            List<Integer> found = new ArrayList<>();
            for (int task : cudaTaskIds(manifest())) {
                Integer pid = pids.get(task);
                if (pid == null) {
                    throw new StageException(
                            FailureCode.WORKLOAD_LOST, "task %d is gone, there are %s".formatted(task, pids.keySet()));
                }
                found.add(pid);
            }
            return new CudaProcesses(
                    runtime.requireGpu(), found, runtime.settings().driverCallLimit());
        } catch (TierException | ManifestException e) {
            throw Failures.typed(e);
        }
    }

    static List<Integer> cudaTaskIds(Manifest manifest) {
        List<Integer> named = manifest.device().taskIds();
        return named.isEmpty() ? List.of(manifest.process().pid()) : named;
    }

    /** Ids as the daemon has them, by those that the processes themselves have, of the restored tree. */
    Map<Integer, Integer> pidsOfTasks(StageContext context) throws StageException {
        Map<Integer, Integer> pids = new HashMap<>();
        for (ProcessId process : runtime.tree().of(process(context))) {
            pids.put(runtime.proc().ownPid(process.pid()), process.pid());
        }
        return pids;
    }

    TargetPort target(StageContext context) throws StageException, GpuException {
        TargetPort open = target;
        if (open == null) {
            open = cuda(context).open(CONNECT_LIMIT);
            target = open;
        }
        return open;
    }

    void closeTarget() {
        TargetPort open = target;
        target = null;
        if (open != null) {
            open.close();
        }
    }

    /** Where its chunks may come from. */
    ChunkSources sources() {
        FanOut.Gathered open = gathered;
        return open == null ? stores() : open.sources();
    }

    private ChunkSources stores() {
        return runtime.store().sources().telling(damage, bytes).preferring(request.sources());
    }

    /** What was read so far, by the tier that had it. */
    Map<String, Long> bytesByTier() {
        return bytes.bySource();
    }

    /** What was found wrong so far, also when the thaw goes on with another copy. */
    void rememberDamage(StageContext context) {
        runtime.tiers().remember(request.snapshot(), damage, context);
    }

    LoadedChunks loaded() {
        return loaded;
    }

    void loaded(LoadedChunks chunks) {
        loaded.close();
        loaded = chunks;
    }

    /** What will be filled in comes into the pool from now on. */
    void beginLoad() throws StageException, GpuException, TierException, ManifestException {
        endLoad();
        load = ThawLoad.begin(this);
    }

    /** What comes into the pool goes into device memory from now on, where that can be made ahead. */
    void beginAhead(StageContext context) throws StageException, GpuException, TierException, ManifestException {
        endAhead();
        // What is read straight into device memory is not in the pool: the fill reads it.
        if (runtime.settings().ahead().fill() && !runtime.direct().used()) {
            ahead = ThawAhead.begin(this, begunLoad(), gpus(context).devices()).orElse(null);
        }
    }

    /** Empty where nothing is made ahead, or no longer. */
    Optional<ThawAhead> ahead() {
        return Optional.ofNullable(ahead);
    }

    /** What of it no process has is free then. */
    void endAhead() {
        ThawAhead running = ahead;
        ahead = null;
        if (running != null) {
            running.close();
        }
    }

    /** Whether chunks of device memory are still read. */
    boolean reads() {
        return begunLoad().reads();
    }

    /**
     * The driver begins to give the processes their contexts back; nothing begins where their threads cannot be kept from running
     * meanwhile.
     */
    void beginDriver(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        GpuPlan gpus = roomyGpus(context);
        CudaProcesses cuda = cuda(context);
        List<ProcessId> processes = new ArrayList<>();
        for (int pid : cuda.pids()) {
            runtime.proc().stat(pid).ifPresent(stat -> processes.add(stat.id()));
        }
        Optional<DriverAhead> prepared = DriverAhead.prepare(runtime.tree(), processes, cuda, gpus.uuidPairs());
        driver = prepared.orElse(null); // before it begins: whatever happens then, it is ended
        prepared.ifPresent(DriverAhead::begin);
    }

    /** Empty where the driver was not asked before all was read. */
    Optional<DriverAhead> driver() {
        return Optional.ofNullable(driver);
    }

    /** Nothing holds the threads of the processes then; those that had not been let go of have ended. */
    void endDriver() {
        DriverAhead running = driver;
        driver = null;
        if (running != null) {
            running.close();
        }
    }

    /**
     * What {@link #gpus} says, where there is room for what the snapshot has in the driver's hands.
     *
     * @throws StageException INSUFFICIENT_VRAM
     */
    GpuPlan roomyGpus(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        // Before it is asked how much is free: while it is being made, both would change.
        Optional<ThawAhead> made = ahead();
        Map<Integer, Long> madeBytes = made.isPresent() ? made.get().madeBytes() : Map.of();
        GpuPlan plan = gpus(context);
        requireVram(plan, madeBytes);
        return plan;
    }

    /** Host memory's chunks, verified, as far as the pool has room. */
    LoadedChunks awaitHost(StageContext context) throws StageException, TierException, InterruptedException {
        return begunLoad().host(context);
    }

    /** Device memory's chunks are {@link #loaded} then. */
    void awaitDevice(StageContext context) throws StageException, TierException, InterruptedException {
        loaded(begunLoad().device(context));
    }

    private ThawLoad begunLoad() {
        return Objects.requireNonNull(load, "preflight begins it");
    }

    private void endLoad() {
        ThawLoad running = load;
        load = null;
        if (running != null) {
            running.close();
        }
    }

    double fillBytesPerSecond() {
        return fillBytesPerSecond;
    }

    void fillBytesPerSecond(double rate) {
        fillBytesPerSecond = rate;
    }

    void release() {
        Traffic.Urgent waiting = urgent;
        if (waiting != null) {
            waiting.close();
        }
        closeTarget();
        endDriver();
        endAhead();
        endLoad();
        FanOut.Gathered exchanged = gathered;
        if (exchanged != null) {
            exchanged.close();
        }
        loaded.close();
        runtime.store().memory().finish(owner());
        ProcessId busy = frozen;
        if (busy != null) {
            runtime.busy().clear(busy);
        }
        TargetContainer claimed = container;
        if (claimed != null) {
            claimed.close();
        }
        SnapshotUses.Use held = use;
        if (held != null) {
            held.close();
        }
    }
}
