package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException.Reason;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Random;

/**
 * Tries out a node's own tier with one chunk of random bytes, and deletes it: what the conformance suite holds in tests, as far as
 * it can be seen on a medium that works.
 */
public final class ChunkValidation {

    private static final int SIZE_BYTES = 1 << 20;

    private final ChunkTier tier;
    private final MemorySegment content;
    private final ChunkDigest digest;

    private ChunkValidation(ChunkTier tier) {
        this.tier = tier;
        byte[] random = new byte[SIZE_BYTES];
        new Random().nextBytes(random);
        this.content = MemorySegment.ofArray(random);
        this.digest = new ChunkDigest(new TreeDigester().digest(content).digest());
    }

    /**
     * @return what was found
     * @throws TierException when it does not work
     */
    public static String run(ChunkTier tier) throws TierException {
        return new ChunkValidation(tier).run();
    }

    private String run() throws TierException {
        try (Arena arena = Arena.ofConfined()) {
            failHalfDone();
            require(tier.put(digest, content), "a new chunk is taken");
            require(!tier.put(digest, content), "the same chunk again is not");
            tier.sync();
            require(tier.list().contains(digest), "what was written is listed");
            require(!tier.contains(digest, SIZE_BYTES - 1), "another size is told without reading");
            MemorySegment found = arena.allocate(SIZE_BYTES, 4096);
            tier.read(digest, SIZE_BYTES, found);
            require(found.mismatch(content) == -1, "what was written is read back");
        } finally {
            tier.delete(digest);
        }
        requireNothing("what was deleted is gone");
        return "a write that was cut off left nothing; a chunk was written, synced, listed, read from the medium and deleted";
    }

    /** An interrupt ends a write to a file wherever it is. A tier that is not written to by files goes on, which is as good. */
    private void failHalfDone() throws TierException {
        Thread.currentThread().interrupt();
        try {
            tier.put(digest, content);
            Thread.interrupted();
            tier.delete(digest);
        } catch (TierException e) {
            Thread.interrupted();
            requireNothing("a write that was cut off leaves nothing");
        }
    }

    /** By its name, of whatever size it is: a list of all that is in the tier takes seconds. */
    private void requireNothing(String what) throws TierException {
        try (Arena arena = Arena.ofConfined()) {
            tier.read(digest, SIZE_BYTES, arena.allocate(SIZE_BYTES, 4096));
        } catch (TierException e) {
            if (e.reason() == Reason.MISSING) {
                return;
            }
            if (e.reason() != Reason.CORRUPT) {
                throw e;
            }
        }
        require(false, what);
    }

    private static void require(boolean holds, String what) throws TierException {
        if (!holds) {
            throw new TierException(Reason.CORRUPT, "not so: " + what);
        }
    }
}
