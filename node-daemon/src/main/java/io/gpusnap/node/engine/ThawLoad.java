package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.Joining;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.Transfer;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;

/**
 * Every chunk that a thaw fills in later, of host areas and then of device memory, is verified and brought into the pool while the
 * process is made again: the drive has work from the first moment on. Chunks of device memory that will be read straight into it
 * are left where they are: the fill verifies them, before the gate opens.
 */
final class ThawLoad implements AutoCloseable {

    private final LoadedChunks hostChunks = new LoadedChunks();
    private final LoadedChunks deviceChunks = new LoadedChunks();
    private final FutureTask<LoadedChunks> host;
    private final FutureTask<LoadedChunks> device;
    private final Thread thread;
    private final long hostBytes;
    private final long deviceBytes;
    private final BesideStages beside = new BesideStages();

    /**
     * @param device in the order in which they are filled in: each part of device memory is complete soon after the one before, and
     *     where the pool is small, the first ones find slots
     * @param direct whether chunks of device memory are only looked for in the pool
     */
    ThawLoad(ChunkLoader loader, List<ChunkRef> host, List<ChunkRef> device, boolean direct, int threads) {
        Transfer transfer = new Transfer(threads, beside::done, beside::safePoint);
        this.host = new FutureTask<>(() -> {
            loader.load(host, hostChunks, transfer);
            return hostChunks;
        });
        this.device = new FutureTask<>(() -> {
            result(this.host); // what fails there fails here
            if (direct) {
                loader.hot(device, deviceChunks, transfer.uncounted());
            } else {
                loader.load(device, deviceChunks, transfer);
            }
            return deviceChunks;
        });
        this.hostBytes = ChunkVerifier.distinctBytes(host);
        this.deviceBytes = direct ? 0 : ChunkVerifier.distinctBytes(device);
        this.thread = Thread.ofPlatform().daemon().name("thaw-load").unstarted(this::run);
    }

    /** Begins at once. */
    static ThawLoad begin(ThawSession session) throws StageException, GpuException, TierException, ManifestException {
        NodeRuntime runtime = session.runtime();
        Manifest manifest = session.manifest();
        ChunkLoader loader = new ChunkLoader(
                session.sources(), runtime.store().memory(), session.owner(), new Space(runtime).sparedByThaw());
        ThawLoad load = new ThawLoad(
                loader,
                manifest.host().areas().stream()
                        .flatMap(area -> area.chunks().stream())
                        .toList(),
                manifest.device().allocations().stream()
                        .flatMap(allocation -> allocation.chunks().stream())
                        .toList(),
                runtime.direct().used(),
                runtime.settings().threads());
        load.start();
        return load;
    }

    void start() {
        thread.start();
    }

    private void run() {
        host.run();
        device.run();
    }

    /**
     * Waits for the chunks of host areas.
     *
     * @param context of the stage that waits: its progress hears of what is left of them
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE
     */
    LoadedChunks host(StageContext context) throws TierException, InterruptedException {
        return await(host, hostBytes, context);
    }

    /** As {@link #host}, which must have succeeded, for those of device memory. */
    LoadedChunks device(StageContext context) throws TierException, InterruptedException {
        return await(device, hostBytes + deviceBytes, context);
    }

    /** Those of device memory that are here by now, and all that come: who uses them has ended when this is closed. */
    LoadedChunks coming() {
        return deviceChunks;
    }

    /** As {@link #device(StageContext)} for somebody beside the stages, who may ask at any time: fails as host areas have failed. */
    LoadedChunks device() throws TierException, InterruptedException {
        return result(device);
    }

    /** Whether somebody who asks for {@link #device(StageContext)} would wait. */
    boolean reads() {
        return !device.isDone();
    }

    private LoadedChunks await(FutureTask<LoadedChunks> task, long untilBytes, StageContext context)
            throws TierException, InterruptedException {
        beside.begin(context, done -> context.progress().setTotalBytes(untilBytes - done));
        try {
            return result(task);
        } finally {
            beside.end();
        }
    }

    private static LoadedChunks result(FutureTask<LoadedChunks> task) throws TierException, InterruptedException {
        try {
            return task.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case TierException cause -> throw cause;
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                case null, default -> throw new IllegalStateException("loading broke", e);
            }
        }
    }

    /** Returns when nothing of it runs any more; what was loaded is let go, also that of a load that failed. */
    @Override
    public void close() {
        beside.close();
        thread.interrupt();
        Joining.all(List.of(thread));
        hostChunks.close();
        deviceChunks.close();
    }
}
