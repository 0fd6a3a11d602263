package io.gpusnap.node.store;

import java.lang.foreign.MemorySegment;

/**
 * Cuts a host image where its content says so, on page borders, so that pages that moved inside the file still give the
 * same chunks. Hashing, nearly all of the work, goes block by block and so on any number of threads; cutting is then a walk
 * over the {@link LeafTable}. Each page is hashed once, for both purposes. One object a thread.
 */
public final class HostChunker {

    private final LeafHasher hasher = LeafHasher.create();

    /** Hashes the leaves of one block of 4 MiB, or of what is left, into the table. */
    public void hashBlock(MemorySegment image, int block, LeafTable table) {
        long start = (long) block * TreeDigester.MAX_CHUNK_BYTES;
        long size = Math.min(TreeDigester.MAX_CHUNK_BYTES, image.byteSize() - start);
        int leaves = (int) Math.ceilDiv(size, LeafHasher.LEAF_BYTES);
        byte[] digests = new byte[leaves * ChunkDigest.BYTES];
        byte[] zeros = new byte[leaves];
        hasher.hash(image.asSlice(start, size), digests, zeros);
        table.set(block, digests, zeros);
    }
}
