package io.gpusnap.node.store;

import java.util.ArrayList;
import java.util.List;

/**
 * The leaf digests of one host image, filled by {@link HostChunker} block by block from any thread, and the cuts that they
 * give. Takes a 128th of the image's size.
 */
public final class LeafTable {

    static final int LEAVES_PER_BLOCK = TreeDigester.MAX_CHUNK_BYTES / LeafHasher.LEAF_BYTES;
    static final int MIN_CHUNK_BYTES = 128 << 10;

    private final long sizeBytes;
    private final byte[][] digests;
    private final boolean[][] zeros;

    public LeafTable(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        int blocks = Math.toIntExact(Math.ceilDiv(sizeBytes, TreeDigester.MAX_CHUNK_BYTES));
        this.digests = new byte[blocks][];
        this.zeros = new boolean[blocks][];
    }

    public int blocks() {
        return digests.length;
    }

    void set(int block, byte[] leafDigests, boolean[] zeroLeaves) {
        digests[block] = leafDigests;
        zeros[block] = zeroLeaves;
    }

    /**
     * The chunks in order, once every block is filled. A cut follows a leaf whose digest starts with a zero byte (one page
     * in 256, 1 MiB on average), but no chunk is below 128 KiB, the last excepted, or above 4 MiB.
     */
    public List<ChunkRef> cut() {
        List<ChunkRef> chunks = new ArrayList<>();
        LeafHasher hasher = new LeafHasher();
        byte[] pending = new byte[LEAVES_PER_BLOCK * ChunkDigest.BYTES];
        int written = 0;
        long start = 0;
        boolean zero = true;
        long leaves = Math.ceilDiv(sizeBytes, LeafHasher.LEAF_BYTES);
        for (long leaf = 0; leaf < leaves; leaf++) {
            byte[] block = digests[(int) (leaf / LEAVES_PER_BLOCK)];
            int inBlock = (int) (leaf % LEAVES_PER_BLOCK);
            boolean zeroLeaf = zeros[(int) (leaf / LEAVES_PER_BLOCK)][inBlock];
            System.arraycopy(block, inBlock * ChunkDigest.BYTES, pending, written, ChunkDigest.BYTES);
            boolean marked = !zeroLeaf && pending[written] == 0;
            written += ChunkDigest.BYTES;
            zero &= zeroLeaf;
            long end = Math.min(sizeBytes, (leaf + 1) * LeafHasher.LEAF_BYTES);
            int chunkBytes = (int) (end - start);
            boolean cut = (marked && chunkBytes >= MIN_CHUNK_BYTES) || chunkBytes == TreeDigester.MAX_CHUNK_BYTES;
            if (cut || end == sizeBytes) {
                chunks.add(zero ? ChunkRef.zero(chunkBytes) : ChunkRef.of(hasher.root(pending, written), chunkBytes));
                start = end;
                written = 0;
                zero = true;
            }
        }
        return chunks;
    }
}
