package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;

/**
 * Cuts a host image where its content says so, on page borders, so that pages that moved inside the file still give the
 * same chunks. Hashing, nearly all of the work, goes block by block and so on any number of threads; cutting is then a walk
 * over the {@link LeafTable}. Each page is hashed once, for both purposes. One object a thread.
 */
public final class HostChunker {

    private final LeafHasher hasher = new LeafHasher();

    /** Hashes the leaves of one block of 4 MiB, or of what is left, into the table. */
    public void hashBlock(MemorySegment image, int block, LeafTable table) {
        long start = (long) block * TreeDigester.MAX_CHUNK_BYTES;
        int leaves = (int)
                Math.min(LeafTable.LEAVES_PER_BLOCK, Math.ceilDiv(image.byteSize() - start, LeafHasher.LEAF_BYTES));
        byte[] digests = new byte[leaves * ChunkDigest.BYTES];
        boolean[] zeros = new boolean[leaves];
        for (int leaf = 0; leaf < leaves; leaf++) {
            long offset = start + (long) leaf * LeafHasher.LEAF_BYTES;
            int length = (int) Math.min(LeafHasher.LEAF_BYTES, image.byteSize() - offset);
            zeros[leaf] = hasher.hash(image, offset, length, digests, leaf * ChunkDigest.BYTES);
        }
        table.set(block, digests, zeros);
    }
}
