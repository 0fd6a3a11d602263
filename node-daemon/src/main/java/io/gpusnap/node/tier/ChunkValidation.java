package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/** Tries out a node's own tier with one chunk of random bytes, and deletes it. */
public final class ChunkValidation {

    private static final int SIZE_BYTES = 1 << 20;

    private ChunkValidation() {}

    /**
     * @return what was found
     * @throws TierException when it does not work
     */
    public static String run(ChunkTier tier) throws TierException {
        byte[] content = new byte[SIZE_BYTES];
        new Random().nextBytes(content);
        MemorySegment segment = MemorySegment.ofArray(content);
        ChunkDigest digest = new ChunkDigest(new TreeDigester().digest(segment).digest());
        try (Arena arena = Arena.ofConfined()) {
            tier.put(digest, segment);
            tier.sync();
            MemorySegment found = arena.allocate(SIZE_BYTES, 4096);
            tier.read(digest, SIZE_BYTES, found);
            if (found.mismatch(segment) != -1) {
                throw new TierException(TierException.Reason.CORRUPT, "what was written is not what is read back");
            }
        } finally {
            tier.delete(digest);
        }
        return "a chunk was written, synced, read from the medium and deleted";
    }
}
