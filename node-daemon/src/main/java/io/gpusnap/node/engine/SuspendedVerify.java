package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.ChunkVerifier;
import java.util.List;

/** Every chunk is verified and, where there is room, in the pool before the frozen process is touched. */
final class SuspendedVerify extends EngineStage {

    private final ThawSession session;
    private final int spareSlots;

    /** @param spareSlots of the pool that are left to others, for what has to leave the device first */
    SuspendedVerify(ThawSession session, int spareSlots) {
        super("verify", session.times());
        this.session = session;
        this.spareSlots = spareSlots;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        List<ChunkRef> chunks = session.manifest().chunks().toList();
        context.progress().setTotalBytes(ChunkVerifier.distinctBytes(chunks));
        session.loaded(new ChunkLoader(session.sources(), runtime.store().memory(), session.owner(), spareSlots)
                .load(chunks, runtime.transfer(context)));
    }
}
