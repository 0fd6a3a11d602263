package io.gpusnap.node.tier;

import io.gpusnap.node.store.ChunkDigest;
import java.lang.foreign.MemorySegment;
import java.util.Set;

/**
 * A place for immutable chunks, named by their content. Guarantees of every tier, held by {@code ChunkTierContract}:
 *
 * <ul>
 *   <li>Atomic publish: a chunk is there whole or not at all, also for a reader at the same time and after a crash.
 *   <li>Read after write: once {@link #put} has returned, every thread finds the chunk.
 *   <li>Durability: once {@link #sync} has returned, earlier puts survive what {@link #durability} says.
 *   <li>Size first: a chunk whose size is not the expected one is CORRUPT, and none of its bytes are read.
 *   <li>Content is the caller's to verify: the tier reads what is there.
 *   <li>Failure is a {@link TierException} with a reason; a failed put leaves nothing behind.
 *   <li>All methods may be called from many threads.
 * </ul>
 */
public interface ChunkTier extends AutoCloseable {

    /** What a synced chunk survives. */
    enum Durability {
        /** The daemon's death. */
        PROCESS,
        /** The node's restart. */
        NODE
    }

    TierKind kind();

    Durability durability();

    /**
     * Whether the chunk is there with this size. One of another size counts as absent, so that a put mends it; as far
     * as that can be told without reading it, which of one that lies there compressed it cannot.
     *
     * @throws TierException IO
     */
    boolean contains(ChunkDigest digest, int sizeBytes) throws TierException;

    /**
     * Stores a chunk under the digest that the caller computed from it.
     *
     * @param content 1 byte to 4 MiB, unchanged until the call returns
     * @return false when it was there already
     * @throws TierException NO_SPACE, IO
     */
    boolean put(ChunkDigest digest, MemorySegment content) throws TierException;

    /** @throws TierException IO */
    void sync() throws TierException;

    /**
     * Reads a whole chunk to the start of the buffer, from the medium itself where the system can be told so.
     *
     * @param buffer page-aligned, of at least the size rounded up to whole pages; bytes after the chunk may be overwritten
     * @throws TierException MISSING, CORRUPT (size), IO
     */
    void read(ChunkDigest digest, int sizeBytes, MemorySegment buffer) throws TierException;

    /**
     * @return false when it was not there
     * @throws TierException IO
     */
    boolean delete(ChunkDigest digest) throws TierException;

    /**
     * Every chunk that is there.
     *
     * @throws TierException IO
     */
    Set<ChunkDigest> list() throws TierException;

    /** @throws TierException IO */
    TierUsage usage() throws TierException;

    @Override
    void close();
}
