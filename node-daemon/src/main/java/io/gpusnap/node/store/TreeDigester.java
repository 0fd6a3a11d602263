package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;

/**
 * The {@code sha256-tree-4k} digest: SHA-256 over the SHA-256 digests of 4 KiB leaves, the last of which may be short. The
 * tree lets a GPU hash leaves side by side and agree with this class. One object a thread; about 1 GB/s.
 */
public final class TreeDigester {

    public static final String ALGORITHM = "sha256-tree-4k";
    /** No chunk is larger; larger data has no single digest. */
    public static final int MAX_CHUNK_BYTES = 4 << 20;

    private final LeafHasher hasher = new LeafHasher();
    private final byte[] leafDigests = new byte[MAX_CHUNK_BYTES / LeafHasher.LEAF_BYTES * ChunkDigest.BYTES];

    /**
     * @param data 1 byte to 4 MiB
     * @throws IllegalArgumentException on another size
     */
    public ChunkRef digest(MemorySegment data) {
        long size = data.byteSize();
        if (size < 1 || size > MAX_CHUNK_BYTES) {
            throw new IllegalArgumentException("a chunk has 1 byte to 4 MiB, not " + size);
        }
        boolean zero = true;
        int written = 0;
        for (long offset = 0; offset < size; offset += LeafHasher.LEAF_BYTES) {
            int length = (int) Math.min(LeafHasher.LEAF_BYTES, size - offset);
            zero &= hasher.hash(data, offset, length, leafDigests, written);
            written += ChunkDigest.BYTES;
        }
        return zero ? ChunkRef.zero((int) size) : ChunkRef.of(hasher.root(leafDigests, written), (int) size);
    }
}
