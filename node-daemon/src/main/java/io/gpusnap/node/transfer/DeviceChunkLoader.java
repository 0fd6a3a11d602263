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
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/** Verifies the device chunks of a snapshot, and leaves as many of them in pinned memory as there are slots. */
public final class DeviceChunkLoader {

    private final NvmeTier nvme;
    private final MemoryTier memory;
    private final UUID owner;

    /** @param owner the operation; owns the slots while they are being read into */
    public DeviceChunkLoader(NvmeTier nvme, MemoryTier memory, UUID owner) {
        this.nvme = nvme;
        this.memory = memory;
        this.owner = owner;
    }

    /**
     * When it returns, every chunk was verified, and those that fit are leased.
     *
     * @throws TierException MISSING, CORRUPT, IO; then no lease is left
     */
    public LoadedChunks load(Collection<ChunkRef> chunks, Transfer transfer)
            throws TierException, InterruptedException {
        LoadedChunks loaded = new LoadedChunks();
        try {
            Crew.each("device-load", transfer.threads(), TierException.class, ChunkVerifier.distinct(chunks), () -> {
                VerifiedReader reader = new VerifiedReader(nvme);
                MemorySegment spare = Transfer.buffer();
                return chunk -> {
                    transfer.safePoint().run();
                    loadOne(chunk, reader, spare, loaded);
                    transfer.progress().accept(chunk.sizeBytes());
                };
            });
            return loaded;
        } catch (Throwable e) {
            loaded.close();
            throw e;
        }
    }

    private void loadOne(ChunkRef chunk, VerifiedReader reader, MemorySegment spare, LoadedChunks loaded)
            throws TierException {
        ChunkDigest digest = new ChunkDigest(chunk.digest());
        Optional<Lease> hot = memory.lease(digest, chunk.sizeBytes());
        if (hot.isPresent()) {
            loaded.add(digest, hot.get());
            return;
        }
        List<Slot> claimed = memory.claim(owner, 1);
        if (claimed.isEmpty()) {
            reader.read(chunk, spare, ReadFrom.ANYWHERE);
            return;
        }
        Slot slot = claimed.getFirst();
        try {
            reader.read(chunk, slot.memory(), ReadFrom.ANYWHERE);
        } catch (TierException | RuntimeException e) {
            memory.free(slot);
            throw e;
        }
        loaded.add(digest, memory.publish(slot, digest, chunk.sizeBytes()));
    }
}
