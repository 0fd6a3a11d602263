package io.gpusnap.node.engine;

import io.gpusnap.node.operation.StageContext;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.transfer.ChunkLoader;
import io.gpusnap.node.transfer.ChunkVerifier;
import io.gpusnap.node.transfer.LoadedChunks;
import java.util.List;

/** The snapshot's chunks are in the pool, as many as find a slot, for a thaw to come. */
final class PoolCopy extends SharedStoreStage {

    private final TransferSession session;

    PoolCopy(TransferSession session) {
        super("copy", session.times());
        this.session = session;
    }

    @Override
    void execute(StageContext context) throws StageException, TierException, ManifestException, InterruptedException {
        NodeRuntime runtime = session.runtime();
        List<ChunkRef> chunks = ChunkVerifier.distinct(session.chunks());
        long sizeBytes = chunks.stream().mapToLong(ChunkRef::sizeBytes).sum();
        context.progress().setTotalBytes(sizeBytes);
        // Clean copies from then on: the least recently used ones make room for whoever needs it.
        try (LoadedChunks loaded = new LoadedChunks()) {
            new ChunkLoader(session.sources(), runtime.store().memory(), session.owner(), Space.LEAST_SLOTS)
                    .load(chunks, loaded, runtime.transfer(context));
        }
        context.remember(new TransferOutcome(
                session.request().snapshot(),
                session.request().to().name(),
                sizeBytes,
                sizeBytes,
                TransferSession.seconds(context),
                List.of(),
                null));
    }
}
