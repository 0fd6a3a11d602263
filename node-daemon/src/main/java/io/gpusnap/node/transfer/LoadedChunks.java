package io.gpusnap.node.transfer;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.tier.Lease;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Verified chunks in pinned memory, held until closed. Thread-safe. */
public final class LoadedChunks implements AutoCloseable {

    private final Map<ChunkDigest, Lease> leases = new ConcurrentHashMap<>();

    public void add(ChunkDigest digest, Lease lease) {
        Lease earlier = leases.put(digest, lease);
        if (earlier != null) {
            earlier.close();
        }
    }

    /** The chunk's bytes in the pool; empty for one that found no slot. */
    public Optional<MemorySegment> find(ChunkDigest digest) {
        return Optional.ofNullable(leases.get(digest)).map(Lease::content);
    }

    @Override
    public void close() {
        leases.values().forEach(Lease::close);
        leases.clear();
    }
}
