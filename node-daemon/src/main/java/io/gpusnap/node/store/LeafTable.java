package io.gpusnap.node.store;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The leaf digests of one host image, filled by {@link HostChunker} block by block from any thread, and the cuts that they
 * give, which can be asked for as the blocks come. Of blocks that are cut nothing is kept.
 */
public final class LeafTable {

    static final int LEAVES_PER_BLOCK = TreeDigester.MAX_CHUNK_BYTES / LeafHasher.LEAF_BYTES;
    static final int MIN_CHUNK_BYTES = 128 << 10;
    private static final int MARKS_BELOW = 384;

    private record Block(byte[] digests, byte[] zeros) {}

    private final long sizeBytes;
    private final int blocks;
    private final Map<Integer, Block> filled = new HashMap<>();
    private final byte[] pending = new byte[LEAVES_PER_BLOCK * ChunkDigest.BYTES];
    private int nextBlock;
    private int written;
    private long start;
    private boolean zero = true;

    public LeafTable(long sizeBytes) {
        this.sizeBytes = sizeBytes;
        this.blocks = Math.toIntExact(Math.ceilDiv(sizeBytes, TreeDigester.MAX_CHUNK_BYTES));
    }

    public int blocks() {
        return blocks;
    }

    synchronized void set(int block, byte[] leafDigests, byte[] zeroLeaves) {
        filled.put(block, new Block(leafDigests, zeroLeaves));
    }

    /**
     * The chunks that follow those of the last call, as far as blocks are filled without a gap. A cut follows a leaf whose
     * digest's first two bytes, big-endian, are below 384 (one page in 171, 683 KiB on average), but no chunk is below 128 KiB,
     * the last excepted, or above 4 MiB. A change costs half a chunk on either side of it, so small ones store less of a second
     * version; but each is a file on a drive.
     */
    public synchronized List<ChunkRef> cut() {
        List<ChunkRef> chunks = new ArrayList<>();
        for (Block block = filled.remove(nextBlock); block != null; block = filled.remove(nextBlock)) {
            cut(block, chunks);
            nextBlock++;
        }
        return chunks;
    }

    /** Where the next chunk begins. */
    public synchronized long cutBytes() {
        return start;
    }

    private void cut(Block block, List<ChunkRef> chunks) {
        for (int leaf = 0; leaf < block.zeros().length; leaf++) {
            System.arraycopy(block.digests(), leaf * ChunkDigest.BYTES, pending, written, ChunkDigest.BYTES);
            boolean zeroLeaf = block.zeros()[leaf] == 1;
            boolean marked = !zeroLeaf && marks(pending, written);
            written += ChunkDigest.BYTES;
            zero &= zeroLeaf;
            long leaves = (long) nextBlock * LEAVES_PER_BLOCK + leaf + 1;
            long end = Math.min(sizeBytes, leaves * LeafHasher.LEAF_BYTES);
            int chunkBytes = (int) (end - start);
            boolean cut = (marked && chunkBytes >= MIN_CHUNK_BYTES) || chunkBytes == TreeDigester.MAX_CHUNK_BYTES;
            if (cut || end == sizeBytes) {
                chunks.add(
                        zero ? ChunkRef.zero(chunkBytes) : ChunkRef.of(ChunkDigest.root(pending, written), chunkBytes));
                start = end;
                written = 0;
                zero = true;
            }
        }
    }

    private static boolean marks(byte[] digests, int at) {
        return ((digests[at] & 0xff) << Byte.SIZE | (digests[at + 1] & 0xff)) < MARKS_BELOW;
    }
}
