package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.criu.CriuProbe;
import io.gpusnap.node.criu.CriuRunner;
import io.gpusnap.node.engine.check.Fingerprints;
import io.gpusnap.node.engine.device.DirectStorage;
import io.gpusnap.node.engine.device.GpuOpening;
import io.gpusnap.node.engine.device.PoolMemory;
import io.gpusnap.node.engine.device.PrivateFolder;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.peer.FanOut;
import io.gpusnap.node.peer.PeerSettings;
import io.gpusnap.node.process.HostFacts;
import io.gpusnap.node.process.ProcFs;
import io.gpusnap.node.process.ProcessTree;
import io.gpusnap.node.process.Workloads;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.Traffic;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** How a node's parts are opened, to work or only to be told about; what was opened is closed again where a later part fails. */
final class RuntimeOpening {

    private static final Duration CRIU_LIMIT = Duration.ofMinutes(10);

    private RuntimeOpening() {}

    /**
     * @param closeScratch to be called when nothing runs any more, before the store is closed
     * @param closePool to be called when nothing uses its memory any more
     */
    record Opened(NodeRuntime runtime, Runnable closeScratch, Runnable closePool) {}

    /** Opens the node's own store. */
    interface OwnStore {
        StoreRoot open(Path folder) throws TierException;
    }

    /** As {@link Engines#open(EngineSettings)}. */
    static Opened open(EngineSettings settings, GpuOpening opening, Mounter mounter, ProcFs proc, OwnStore own)
            throws StageException, InterruptedException {
        PoolMemory pool = null;
        StoreRoot root = null;
        ScratchMount scratch = null;
        try {
            PrivateFolder.prepare("scratch.dir", settings.scratchDir());
            root = own.open(settings.nvmeRoot());
            pool = opening.pool(settings.poolPath(), settings.poolBytes());
            scratch = ScratchMount.open(settings, mounter);
            PrivateFolder.prepare("scratch.dir", settings.scratchDir());
            MemoryTier memory = MemoryTier.open(settings.poolPath(), pool.memory());
            NvmeTier nvme = settings.shared().keys().own(root, settings.nvmeReserveBytes());
            SnapshotStore store =
                    new SnapshotStore(root, nvme, memory, settings.shared().open());
            String reason = pool.pinned()
                    ? "%d MiB page-locked at %s".formatted(settings.poolBytes() >> 20, settings.poolPath())
                    : unpinned(opening);
            return new Opened(
                    runtime(
                            settings,
                            opening,
                            proc,
                            store,
                            root,
                            pool.pinned(),
                            reason,
                            scratch.capability(),
                            settings.shared().peers()),
                    scratch::close,
                    pool::close);
        } catch (IOException | GpuException | TierException e) {
            if (scratch != null) {
                scratch.close();
            }
            if (pool != null) {
                pool.close();
            }
            if (root != null) {
                root.close();
            }
            throw new StageException(FailureCode.STORE_ERROR, String.valueOf(e.getMessage()), e);
        }
    }

    /** As {@link Engines#look}. */
    static Opened look(EngineSettings settings) throws StageException, InterruptedException {
        GpuOpening opening = GpuOpening.of(settings.nativeDir(), settings.cudaDriver());
        StoreRoot root = null;
        try {
            root = StoreRoot.open(settings.nvmeRoot());
            NvmeTier nvme = settings.shared().keys().own(root, settings.nvmeReserveBytes());
            MemoryTier memory = MemoryTier.look(settings.poolPath(), settings.poolBytes());
            boolean pinnable = opening.gpu().isPresent();
            String reason = pinnable
                    ? "%d MiB, page-locked at %s once there is work"
                            .formatted(settings.poolBytes() >> 20, settings.poolPath())
                    : unpinned(opening);
            return new Opened(
                    runtime(
                            settings,
                            opening,
                            new ProcFs(),
                            new SnapshotStore(
                                    root, nvme, memory, settings.shared().open()),
                            root,
                            pinnable,
                            reason,
                            ScratchMount.look(settings),
                            PeerSettings.none()),
                    () -> {},
                    () -> {});
        } catch (IOException | TierException e) {
            if (root != null) {
                root.close();
            }
            throw new StageException(FailureCode.STORE_ERROR, String.valueOf(e.getMessage()), e);
        }
    }

    private static String unpinned(GpuOpening opening) {
        return "the pool is not page-locked, copies are slower: " + opening.reason();
    }

    private static NodeRuntime runtime(
            EngineSettings settings,
            GpuOpening opening,
            ProcFs proc,
            SnapshotStore store,
            StoreRoot root,
            boolean poolPinned,
            String poolReason,
            Capability scratchPages,
            PeerSettings peers)
            throws IOException, InterruptedException {
        Traffic traffic = new Traffic(
                settings.shared().mostBytesPerSecond(), settings.shared().mostStill());
        CriuRunner criu = new CriuRunner(settings.criu().map(Path::toString).orElse("criu"), CRIU_LIMIT);
        CriuProbe probe = criu.probe();
        return new NodeRuntime(
                settings,
                Optional.ofNullable(RuntimeOpening.class.getPackage().getImplementationVersion())
                        .orElse("development"),
                store,
                opening.gpu(),
                opening.reason(),
                criu,
                probe,
                HostFacts.read(),
                proc,
                new ProcessTree(proc),
                new Workloads(proc),
                new Fingerprints(),
                new SuspendedProcesses(settings.stateDir().resolve("suspended"), proc),
                new BusyWorkloads(),
                poolPinned,
                poolReason,
                scratchPages,
                DirectStorage.probe(
                        settings.storage(),
                        settings.shared().keys().framesOwn(),
                        opening,
                        root.temporary(),
                        settings.driverCallLimit()),
                traffic,
                new FanOut(peers, store, traffic));
    }
}
