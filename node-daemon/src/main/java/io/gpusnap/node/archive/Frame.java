package io.gpusnap.node.archive;

import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.key.DataKey;
import io.gpusnap.node.tier.key.PortableKey;
import io.gpusnap.node.tier.pack.Frames;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * How a chunk lies in a layer: as it is, or encrypted as in shared stores.
 *
 * @param key empty: as it is
 */
record Frame(Optional<PortableKey> key) {

    static final int MOST_BYTES = TreeDigester.MAX_CHUNK_BYTES + DataKey.OVERHEAD_BYTES;

    String mediaType() {
        return key.isPresent() ? MediaTypes.SEALED_CHUNKS : MediaTypes.CHUNKS;
    }

    int sizeBytes(ChunkRef chunk) {
        return sizeBytes(chunk, key.isPresent());
    }

    static int sizeBytes(ChunkRef chunk, boolean sealed) {
        return chunk.sizeBytes() + (sealed ? DataKey.OVERHEAD_BYTES : 0);
    }

    /** @param target of the frame's size */
    void write(ChunkRef chunk, MemorySegment content, MemorySegment target) {
        if (key.isEmpty()) {
            target.copyFrom(content);
            return;
        }
        key.get()
                .key()
                .seal(chunk.content().orElseThrow(), Frames.SEALED, content.asByteBuffer(), target.asByteBuffer());
    }

    /**
     * @param target of the chunk's size; what arrives is not verified but for its seal
     * @throws TierException CORRUPT when it does not open
     */
    void read(ChunkRef chunk, MemorySegment frame, MemorySegment target) throws TierException {
        if (key.isEmpty()) {
            target.copyFrom(frame);
            return;
        }
        key.get().key().open(chunk.content().orElseThrow(), Frames.SEALED, frame.asByteBuffer(), target.asByteBuffer());
    }
}
