package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;

/**
 * The {@code sha256-tree-4k} digest: SHA-256 over the SHA-256 digests of 4 KiB leaves, the last of which may be short. The
 * tree lets a GPU hash leaves side by side and agree with this class. One object a thread. Measured: docs/decisions/0175.
 */
public final class TreeDigester {

    public static final String ALGORITHM = "sha256-tree-4k";
    /** No chunk is larger; larger data has no single digest. */
    public static final int MAX_CHUNK_BYTES = 4 << 20;

    private static final int MAX_LEAVES = MAX_CHUNK_BYTES / LeafHasher.LEAF_BYTES;

    private final LeafHasher hasher = LeafHasher.create();
    private final byte[] digests = new byte[MAX_LEAVES * ChunkDigest.BYTES];
    private final byte[] zeros = new byte[MAX_LEAVES];

    /**
     * @param data 1 byte to 4 MiB
     * @throws IllegalArgumentException on another size
     */
    public ChunkRef digest(MemorySegment data) {
        long size = data.byteSize();
        if (size < 1 || size > MAX_CHUNK_BYTES) {
            throw new IllegalArgumentException("a chunk has 1 byte to 4 MiB, not " + size);
        }
        hasher.hash(data, digests, zeros);
        int leaves = (int) Math.ceilDiv(size, LeafHasher.LEAF_BYTES);
        boolean zero = true;
        for (int leaf = 0; leaf < leaves; leaf++) {
            zero &= zeros[leaf] == 1;
        }
        return zero
                ? ChunkRef.zero((int) size)
                : ChunkRef.of(ChunkDigest.root(digests, leaves * ChunkDigest.BYTES), (int) size);
    }
}
