package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.Lease;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Verifies chunks that are to be filled in, and leaves as many of them in pinned memory as there are slots. */
public final class ChunkLoader {

    private final ChunkSources sources;
    private final MemoryTier memory;
    private final UUID owner;
    private final int spareSlots;

    /** @param owner the operation; owns the slots while they are being read into */
    public ChunkLoader(ChunkSources sources, MemoryTier memory, UUID owner) {
        this(sources, memory, owner, 0);
    }

    /**
     * @param owner as above
     * @param spareSlots that are not taken, give or take one a thread
     */
    public ChunkLoader(ChunkSources sources, MemoryTier memory, UUID owner, int spareSlots) {
        this.sources = sources;
        this.memory = memory;
        this.owner = owner;
        this.spareSlots = spareSlots;
    }

    /**
     * When it returns, every chunk was verified, and those that fit are leased.
     *
     * @param loaded gets each of them as soon as it is there. It is the caller's: what is in it stays leased also when this fails, for
     *     whoever uses it by then
     * @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE
     */
    public void load(Collection<ChunkRef> chunks, LoadedChunks loaded, Transfer transfer)
            throws TierException, InterruptedException {
        Map<ChunkRef, Slot> slots = new ConcurrentHashMap<>();
        try (Buffers buffers = new Buffers()) {
            List<ChunkRef> cold = lease(ChunkVerifier.distinct(chunks), loaded, transfer);
            slots.putAll(slots(cold));
            Batch.each("load", sources, cold, transfer, () -> {
                BatchReader reader = new BatchReader(sources, buffers);
                Nearby.Target target = new Filling(slots, loaded, transfer, Transfer.buffer(buffers));
                return batch -> {
                    transfer.safePoint().run();
                    reader.read(batch, target);
                };
            });
        } finally {
            slots.values().forEach(memory::free); // of chunks that did not come
        }
    }

    /** Chunks go into their slots, or, where they have none, are only verified. One a thread. */
    private final class Filling implements Nearby.Target {

        private final Map<ChunkRef, Slot> slots;
        private final LoadedChunks loaded;
        private final Transfer transfer;
        private final MemorySegment spare;

        private Filling(Map<ChunkRef, Slot> slots, LoadedChunks loaded, Transfer transfer, MemorySegment spare) {
            this.slots = slots;
            this.loaded = loaded;
            this.transfer = transfer;
            this.spare = spare;
        }

        @Override
        public MemorySegment memory(ChunkRef chunk) {
            Slot slot = slots.get(chunk);
            return slot == null ? spare : slot.memory();
        }

        @Override
        public void arrived(ChunkRef chunk, MemorySegment content) {
            Slot slot = slots.remove(chunk);
            if (slot != null) {
                ChunkDigest digest = new ChunkDigest(chunk.digest());
                loaded.add(digest, memory.publish(slot, digest, chunk.sizeBytes()));
            }
            transfer.progress().accept(chunk.sizeBytes());
        }
    }

    /**
     * As far as chunks are in the pool, they are verified and leased; nothing is read.
     *
     * @param loaded as for {@link #load}
     */
    public void hot(Collection<ChunkRef> chunks, LoadedChunks loaded, Transfer transfer) throws InterruptedException {
        lease(ChunkVerifier.distinct(chunks), loaded, transfer);
    }

    /**
     * What was verified in this daemon's life is leased in one go. The rest in parallel, because a copy from an earlier life is
     * hashed when it is first leased.
     *
     * @return those that are not in the pool
     */
    private List<ChunkRef> lease(List<ChunkRef> chunks, LoadedChunks loaded, Transfer transfer)
            throws InterruptedException {
        transfer.safePoint().run();
        memory.leaseVerified(chunks, spareSlots).forEach((chunk, lease) -> add(chunk, lease, loaded, transfer));
        List<ChunkRef> others = notIn(loaded, chunks).stream()
                .filter(chunk -> memory.contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes()))
                .toList();
        Crew.each("lease", transfer.threads(), RuntimeException.class, others, () -> chunk -> {
            transfer.safePoint().run();
            // A lease takes a slot from others as much as a claim does.
            if (spareSlots > 0 && memory.claimable() <= spareSlots) {
                return;
            }
            memory.lease(new ChunkDigest(chunk.digest()), chunk.sizeBytes())
                    .ifPresent(lease -> add(chunk, lease, loaded, transfer));
        });
        return notIn(loaded, chunks);
    }

    private void add(ChunkRef chunk, Lease lease, LoadedChunks loaded, Transfer transfer) {
        sources.read().add(ChunkSources.MEMORY, chunk.sizeBytes());
        loaded.add(new ChunkDigest(chunk.digest()), lease);
        transfer.progress().accept(chunk.sizeBytes());
    }

    private static List<ChunkRef> notIn(LoadedChunks loaded, List<ChunkRef> chunks) {
        return chunks.stream()
                .filter(chunk -> loaded.find(new ChunkDigest(chunk.digest())).isEmpty())
                .toList();
    }

    /** Slots in the pool's order: neighbours in device memory become neighbours here, and are copied in one piece. */
    private Map<ChunkRef, Slot> slots(List<ChunkRef> chunks) {
        Iterator<ChunkRef> next = chunks.iterator();
        Map<ChunkRef, Slot> slots = new HashMap<>();
        memory.claim(owner, Math.clamp(memory.claimable() - spareSlots, 0, chunks.size())).stream()
                .sorted(Comparator.comparingInt(Slot::index))
                .forEach(slot -> slots.put(next.next(), slot));
        return slots;
    }
}
