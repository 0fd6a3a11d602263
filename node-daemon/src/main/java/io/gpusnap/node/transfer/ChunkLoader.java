package io.gpusnap.node.transfer;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.Lease;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Verifies chunks that are to be filled in, and leaves as many of them in pinned memory as there are slots. */
public final class ChunkLoader {

    private final NvmeTier nvme;
    private final MemoryTier memory;
    private final UUID owner;
    private final int spareSlots;

    /** @param owner the operation; owns the slots while they are being read into */
    public ChunkLoader(NvmeTier nvme, MemoryTier memory, UUID owner) {
        this(nvme, memory, owner, 0);
    }

    /**
     * @param owner as above
     * @param spareSlots that are not taken, give or take one a thread
     */
    public ChunkLoader(NvmeTier nvme, MemoryTier memory, UUID owner, int spareSlots) {
        this.nvme = nvme;
        this.memory = memory;
        this.owner = owner;
        this.spareSlots = spareSlots;
    }

    private record Place(ChunkRef chunk, @Nullable Slot slot) {}

    /**
     * When it returns, every chunk was verified, and those that fit are leased.
     *
     * @throws TierException MISSING, CORRUPT, IO; then no lease is left
     */
    public LoadedChunks load(Collection<ChunkRef> chunks, Transfer transfer)
            throws TierException, InterruptedException {
        LoadedChunks loaded = new LoadedChunks();
        try {
            List<ChunkRef> cold = hot(ChunkVerifier.distinct(chunks), loaded, transfer);
            Crew.each("load", transfer.threads(), TierException.class, places(cold), () -> {
                VerifiedReader reader = new VerifiedReader(nvme);
                MemorySegment spare = Transfer.buffer();
                return place -> {
                    transfer.safePoint().run();
                    read(place, reader, spare, loaded);
                    transfer.progress().accept(place.chunk().sizeBytes());
                };
            });
            return loaded;
        } catch (Throwable e) {
            loaded.close();
            throw e;
        }
    }

    /** As far as chunks are in the pool, they are verified and leased; nothing is read. */
    public LoadedChunks hot(Collection<ChunkRef> chunks, Transfer transfer) throws InterruptedException {
        LoadedChunks loaded = new LoadedChunks();
        try {
            hot(ChunkVerifier.distinct(chunks), loaded, transfer);
            return loaded;
        } catch (Throwable e) {
            loaded.close();
            throw e;
        }
    }

    /**
     * What was verified in this daemon's life is leased in one go. The rest in parallel, because a copy from an earlier life is
     * hashed when it is first leased.
     */
    private List<ChunkRef> hot(List<ChunkRef> chunks, LoadedChunks loaded, Transfer transfer)
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

    private static void add(ChunkRef chunk, Lease lease, LoadedChunks loaded, Transfer transfer) {
        loaded.add(new ChunkDigest(chunk.digest()), lease);
        transfer.progress().accept(chunk.sizeBytes());
    }

    private static List<ChunkRef> notIn(LoadedChunks loaded, List<ChunkRef> chunks) {
        return chunks.stream()
                .filter(chunk -> loaded.find(new ChunkDigest(chunk.digest())).isEmpty())
                .toList();
    }

    /** Slots in the pool's order: neighbours in device memory become neighbours here, and are copied in one piece. */
    private List<Place> places(List<ChunkRef> chunks) {
        Iterator<Slot> slots =
                memory.claim(owner, Math.clamp(memory.claimable() - spareSlots, 0, chunks.size())).stream()
                        .sorted(Comparator.comparingInt(Slot::index))
                        .iterator();
        return chunks.stream()
                .map(chunk -> new Place(chunk, slots.hasNext() ? slots.next() : null))
                .toList();
    }

    private void read(Place place, VerifiedReader reader, MemorySegment spare, LoadedChunks loaded)
            throws TierException {
        ChunkRef chunk = place.chunk();
        Slot slot = place.slot();
        if (slot == null) {
            reader.read(chunk, spare, ReadFrom.ANYWHERE);
            return;
        }
        try {
            reader.read(chunk, slot.memory(), ReadFrom.ANYWHERE);
        } catch (TierException | RuntimeException e) {
            memory.free(slot);
            throw e;
        }
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        loaded.add(digest, memory.publish(slot, digest, chunk.sizeBytes()));
    }
}
