package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.util.List;

/** Reads chunks on behalf of somebody who asks for them. One object a thread. */
public final class SharedReader implements AutoCloseable {

    private final ChunkSources sources;
    private final Buffers buffers = new Buffers();
    private final BatchReader reader;

    public SharedReader(ChunkSources sources) {
        this.sources = sources;
        this.reader = new BatchReader(sources, buffers);
    }

    /**
     * @param chunks each once, not zero
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE, and what the target throws
     */
    public void read(List<ChunkRef> chunks, Nearby.Target target) throws TierException, InterruptedException {
        for (Batch batch : Batch.of(sources, chunks)) {
            reader.read(batch, target);
        }
    }

    /** Its memory goes back. */
    @Override
    public void close() {
        buffers.close();
    }
}
