package io.gpusnap.node.engine;

import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.LoadedChunks;
import java.util.List;

/** Every chunk is verified and, where there is room, in the pool before the frozen process is touched. */
final class SuspendedVerify extends EngineStage {

    private final ThawSession session;
    private final boolean othersLeave;

    /** @param othersLeave the device first, and take slots of the pool for it */
    SuspendedVerify(ThawSession session, boolean othersLeave) {
        super("verify", session.times());
        this.session = session;
        this.othersLeave = othersLeave;
    }

    @Override
    void execute(StageContext context)
            throws StageException, GpuException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        List<ChunkRef> chunks = session.manifest().chunks().toList();
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks));
        Space space = new Space(runtime);
        int spareSlots = othersLeave ? space.sparedSlots() : space.sparedByThaw();
        LoadedChunks loaded = new LoadedChunks();
        session.loaded(loaded);
        new ChunkLoader(session.sources(), runtime.store().memory(), session.owner(), spareSlots)
                .load(chunks, loaded, runtime.transfer(context));
    }
}
