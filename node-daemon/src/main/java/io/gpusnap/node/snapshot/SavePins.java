package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The chunks of one running save, pinned against deletion, each written once. Thread-safe. */
public final class SavePins implements AutoCloseable {

    private final NvmeTier nvme;
    private final Lock sweepShared;
    private final Consumer<SavePins> onClose;
    private final Set<ChunkDigest> pinned = ConcurrentHashMap.newKeySet();
    private final LongAdder storedBytes = new LongAdder();
    private final LongAdder storedChunks = new LongAdder();

    SavePins(NvmeTier nvme, Lock sweepShared, Consumer<SavePins> onClose) {
        this.nvme = nvme;
        this.sweepShared = sweepShared;
        this.onClose = onClose;
    }

    /** Pins chunks that are stored already: of a pending manifest found after a restart. */
    public void pin(Set<ChunkDigest> digests) {
        sweepShared.lock();
        try {
            pinned.addAll(digests);
        } finally {
            sweepShared.unlock();
        }
    }

    /**
     * Pins a chunk that the store has, if there is a use for it; no sweep comes between looking and pinning.
     *
     * @param use what the caller wants of it, empty when it has none after all
     */
    public <T> Optional<T> pinStored(ChunkRef chunk, Supplier<Optional<T>> use) throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        sweepShared.lock();
        try {
            if (!nvme.contains(digest, chunk.sizeBytes())) {
                return Optional.empty();
            }
            Optional<T> used = use.get();
            used.ifPresent(there -> pinned.add(digest));
            return used;
        } finally {
            sweepShared.unlock();
        }
    }

    /** Stores a chunk unless it is zero, in the store, or was stored by this save before. Durable after the tier's sync. */
    public void store(ChunkRef chunk, MemorySegment content) throws TierException {
        if (chunk.isZero()) {
            return;
        }
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        sweepShared.lock();
        try {
            if (pinned.add(digest) && nvme.put(digest, content)) {
                storedBytes.add(chunk.sizeBytes());
                storedChunks.increment();
            }
        } catch (TierException e) {
            pinned.remove(digest);
            throw e;
        } finally {
            sweepShared.unlock();
        }
    }

    public long storedBytes() {
        return storedBytes.sum();
    }

    public long storedChunks() {
        return storedChunks.sum();
    }

    Set<ChunkDigest> pinned() {
        return pinned;
    }

    @Override
    public void close() {
        onClose.accept(this);
    }
}
