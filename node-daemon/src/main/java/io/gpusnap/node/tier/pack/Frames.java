package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;

/**
 * How chunks are written into packs. Whatever a frame was, what comes out of it is believed only when its digest is the chunk's.
 * Used by one thread at a time.
 */
public interface Frames {

    /** The chunk as it is. */
    int PLAIN = 0;
    /** Compressed by zstd. */
    int ZSTD = 1;
    /** Encrypted by AES-256-GCM. */
    int SEALED = 2;
    /** With {@link #ZSTD}: every second byte as it is, and then the others, compressed. */
    int PLANES = 4;
    /** All bits that are known. */
    int KNOWN = ZSTD | SEALED | PLANES;

    /** @param frameBytes what was written */
    record Written(int frameBytes, int codec) {}

    /** Whose key encrypts what is written; "" when it is not encrypted. */
    String scope();

    /**
     * Writes a frame.
     *
     * @param target has room for the content and {@link PackEntry#MOST_OVERHEAD_BYTES}
     * @throws TierException NO_KEY when there is none to encrypt by
     */
    Written write(ChunkDigest digest, MemorySegment content, MemorySegment target) throws TierException;

    /**
     * Reads a frame.
     *
     * @param scope of its pack
     * @param target of the chunk's size: not a byte more is ever written
     * @throws TierException CORRUPT, or NO_KEY; UNAVAILABLE when the codec is of a newer version
     */
    void read(ChunkDigest digest, int codec, String scope, MemorySegment frame, MemorySegment target)
            throws TierException;
}
