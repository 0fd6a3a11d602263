package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.Lease;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.RoomPromise;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Lock;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The chunks of one running save, or of what is brought, pinned against deletion, each written once. Thread-safe. */
public final class SavePins implements AutoCloseable {

    /** Where chunks go. */
    @FunctionalInterface
    interface Put {
        /** @return what it takes there; empty when it was there already */
        OptionalLong put(ChunkDigest digest, MemorySegment content) throws TierException;
    }

    private final NvmeTier nvme;
    private final Put put;
    private final Lock sweepShared;
    private final Consumer<SavePins> onClose;
    private final Set<ChunkDigest> pinned = ConcurrentHashMap.newKeySet();
    private final LongAdder storedBytes = new LongAdder();
    private final LongAdder storedChunks = new LongAdder();
    private volatile RoomPromise room;

    SavePins(NvmeTier nvme, Put put, Lock sweepShared, Consumer<SavePins> onClose) {
        this.nvme = nvme;
        this.put = put;
        this.sweepShared = sweepShared;
        this.onClose = onClose;
        this.room = nvme.promise(0);
    }

    /** Until these are closed nothing is brought that would take room for so many bytes away; what is stored counts. */
    public void promise(long sizeBytes) {
        room.close();
        room = nvme.promise(sizeBytes);
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
     * Pins a chunk that the pool and the store have; no sweep comes between looking and pinning. The pool is asked first: it
     * answers from memory, and this is asked for every chunk while a workload stands still.
     *
     * @param inPool takes its copy in the pool, if there is one
     */
    public Optional<Lease> pinStored(ChunkRef chunk, Supplier<Optional<Lease>> inPool) throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        Optional<Lease> lease = Optional.empty();
        boolean stored = false;
        sweepShared.lock();
        try {
            lease = inPool.get();
            stored = lease.isPresent() && nvme.contains(digest, chunk.sizeBytes());
            if (stored) {
                pinned.add(digest);
            }
            return stored ? lease : Optional.empty();
        } finally {
            if (!stored) {
                lease.ifPresent(Lease::close);
            }
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
            if (pinned.add(digest)) {
                put.put(digest, content).ifPresent(this::stored);
            }
        } catch (TierException e) {
            pinned.remove(digest);
            throw e;
        } finally {
            sweepShared.unlock();
        }
    }

    /** What the tier took for what was stored. */
    public long storedBytes() {
        return storedBytes.sum();
    }

    public long storedChunks() {
        return storedChunks.sum();
    }

    Set<ChunkDigest> pinned() {
        return pinned;
    }

    private void stored(long bytes) {
        storedBytes.add(bytes);
        storedChunks.increment();
        room.used(bytes);
    }

    @Override
    public void close() {
        room.close();
        onClose.accept(this);
    }
}
