package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;

/**
 * One chunk in a pack.
 *
 * @param sizeBytes of the chunk itself, 1 byte to 4 MiB
 * @param offset of its frame in the pack
 * @param frameBytes what it takes there
 * @param codec how the frame was made: bits of {@link Frames}, and perhaps some of a newer version
 */
record PackEntry(ChunkDigest digest, int sizeBytes, long offset, int frameBytes, int codec) {

    /** A frame is a little longer than its chunk at most: what was not worth compressing is not compressed. */
    static final int MOST_OVERHEAD_BYTES = 64;

    PackEntry {
        if (sizeBytes < 1 || sizeBytes > TreeDigester.MAX_CHUNK_BYTES) {
            throw new IllegalArgumentException("a chunk has 1 byte to 4 MiB, not " + sizeBytes);
        }
        if (frameBytes < 1 || frameBytes > sizeBytes + MOST_OVERHEAD_BYTES) {
            throw new IllegalArgumentException("a chunk of %d bytes takes no %d".formatted(sizeBytes, frameBytes));
        }
        if (offset < 0 || offset > PackTable.MOST_PACK_BYTES - frameBytes) {
            throw new IllegalArgumentException("no chunk of a pack is at " + offset);
        }
        if ((codec & (Frames.PLANES | Frames.ZSTD)) == Frames.PLANES) {
            throw new IllegalArgumentException("no frame has planes that are not compressed");
        }
    }
}
