package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import java.util.Optional;

/** Where wrapped data keys lie, beside what they encrypt. Durable when a call returns. Thread-safe. */
public interface KeyFolder {

    /** Longer ones are CORRUPT, and not read. */
    int MOST_BYTES = 16 << 10;

    /** @throws TierException CORRUPT, IO, UNAVAILABLE */
    Optional<byte[]> find(ChunkDigest name) throws TierException;

    /** Of several that do so at once one gives the content. */
    void putIfAbsent(ChunkDigest name, byte[] content) throws TierException;

    /** Instead of what is there; whole or not at all, for readers at the same time as well. */
    void replace(ChunkDigest name, byte[] content) throws TierException;

    /** For people. */
    String location();
}
