package io.gpusnap.node.tier.key;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.blob.BlobKey;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.blob.BlobStore.IfThere;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** {@code keys/} of a shared store. */
public record SharedKeyFolder(BlobStore store) implements KeyFolder {

    @Override
    public Optional<byte[]> find(ChunkDigest name) throws TierException {
        BlobKey key = BlobKey.dataKey(name);
        return store.find(key).isEmpty() ? Optional.empty() : Optional.of(store.readAll(key, MOST_BYTES));
    }

    @Override
    public void putIfAbsent(ChunkDigest name, byte[] content) throws TierException {
        store.put(BlobKey.dataKey(name), MemorySegment.ofArray(content), IfThere.KEEP);
    }

    @Override
    public void replace(ChunkDigest name, byte[] content) throws TierException {
        store.put(BlobKey.dataKey(name), MemorySegment.ofArray(content), IfThere.REPLACE);
    }

    @Override
    public String location() {
        return store.location();
    }
}
