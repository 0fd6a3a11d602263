package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Verified content, from the pool where it was loaded, else read again. One object a thread. */
public final class ChunkFeed {

    private final LoadedChunks loaded;
    private final VerifiedReader reader;
    private final Buffers buffers;
    private @Nullable MemorySegment buffer;

    /** @param buffers outlive it */
    public ChunkFeed(LoadedChunks loaded, ChunkSources sources, Buffers buffers) {
        this.buffers = buffers;
        this.loaded = loaded;
        this.reader = new VerifiedReader(sources);
    }

    /**
     * @param chunk not a zero one
     * @return valid until the next call
     * @throws TierException MISSING, CORRUPT, IO
     */
    public MemorySegment content(ChunkRef chunk) throws TierException, InterruptedException {
        Optional<MemorySegment> inPool = loaded.find(new ChunkDigest(chunk.digest()));
        if (inPool.isPresent()) {
            return inPool.get();
        }
        MemorySegment own = buffer;
        if (own == null) {
            own = Transfer.buffer(buffers);
            buffer = own;
        }
        reader.read(chunk, own);
        return own.asSlice(0, chunk.sizeBytes());
    }
}
