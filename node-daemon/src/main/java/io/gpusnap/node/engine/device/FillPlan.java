package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.LoadedChunks;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** What goes where in fresh device memory, by where it comes from. */
final class FillPlan {

    /** A chunk that is in the pool. */
    record Hot(Piece piece, ChunkRef chunk, MemorySegment host) {}

    /** A chunk that has to be read. */
    record Cold(Piece piece, ChunkRef chunk) {}

    private final MemoryTier memory;
    private final UUID owner;
    private final LoadedChunks loaded;
    private final List<Hot> hot = new ArrayList<>();
    private final List<Cold> cold = new ArrayList<>();
    private final List<Piece> zeros = new ArrayList<>();

    private FillPlan(MemoryTier memory, UUID owner, LoadedChunks loaded) {
        this.memory = memory;
        this.owner = owner;
        this.loaded = loaded;
    }

    /**
     * @param target imported allocations
     * @param owner whose slots the content may name
     * @throws TierException MISSING when such a slot is no longer the owner's
     * @throws GpuException PROTOCOL when the allocations are not the content's
     */
    static FillPlan of(
            DeviceContent content, List<Allocation> target, MemoryTier memory, UUID owner, LoadedChunks loaded)
            throws GpuException, TierException {
        FillPlan plan = new FillPlan(memory, owner, loaded);
        Map<Long, Allocation> byId = new HashMap<>();
        target.forEach(allocation -> byId.put(allocation.id(), allocation));
        for (DeviceContent.Allocation allocation : content.allocations()) {
            Allocation there = byId.remove(allocation.id());
            if (there == null
                    || there.sizeBytes() != allocation.sizeBytes()
                    || there.address() != allocation.address()) {
                throw differs("allocation " + allocation.id() + " is not what it was");
            }
            plan.add(allocation.chunks(), Piece.of(List.of(there)));
        }
        if (!byId.isEmpty()) {
            throw differs("the workload has allocations that were not saved: " + byId.keySet());
        }
        return plan;
    }

    private void add(List<DeviceContent.Chunk> chunks, List<Piece> pieces) throws GpuException, TierException {
        if (chunks.size() != pieces.size()) {
            throw differs("%d chunks do not fill an allocation of %d".formatted(chunks.size(), pieces.size()));
        }
        for (int i = 0; i < chunks.size(); i++) {
            Piece piece = pieces.get(i);
            ChunkRef chunk = chunks.get(i).ref();
            if (chunk.isZero()) {
                zeros.add(piece);
                continue;
            }
            Optional<MemorySegment> host = inPool(chunks.get(i));
            if (host.isPresent()) {
                hot.add(new Hot(piece, chunk, host.get()));
            } else {
                cold.add(new Cold(piece, chunk));
            }
        }
    }

    private Optional<MemorySegment> inPool(DeviceContent.Chunk chunk) throws TierException {
        if (chunk.slot() >= 0) {
            return Optional.of(memory.owned(owner, chunk.slot())
                    .orElseThrow(() -> new TierException(
                            Reason.MISSING, "slot " + chunk.slot() + " of the pool is no longer this operation's"))
                    .first(chunk.sizeBytes()));
        }
        return loaded.find(new ChunkDigest(chunk.digest()));
    }

    private static GpuException differs(String what) {
        return new GpuException(GpuStatus.PROTOCOL, what);
    }

    List<Hot> hot() {
        return hot;
    }

    List<Cold> cold() {
        return cold;
    }

    List<Piece> zeros() {
        return zeros;
    }

    /** What crosses the bus. */
    long movedBytes() {
        return hot.stream().mapToLong(one -> one.piece().sizeBytes()).sum()
                + cold.stream().mapToLong(one -> one.piece().sizeBytes()).sum();
    }
}
