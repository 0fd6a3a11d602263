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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * What goes where in fresh device memory. It is made batch by batch, and where a chunk comes from is looked up by the threads that
 * fill: made as a whole first, the bus would have nothing to do meanwhile.
 */
final class FillPlan {

    /**
     * A chunk and its place.
     *
     * @param slot of the owner's, where the content names one
     */
    record Wanted(Piece piece, ChunkRef chunk, Optional<MemorySegment> slot) {}

    /** A chunk that is in the pool. */
    record Hot(Piece piece, ChunkRef chunk, MemorySegment host) {}

    /** A chunk that has to be read. */
    record Cold(Piece piece, ChunkRef chunk) {}

    /** Some of it, by where it comes from. */
    record Batch(List<Hot> hot, List<Cold> cold, List<Piece> zeros) {

        /** What crosses the bus. */
        long movedBytes() {
            return hot.stream().mapToLong(one -> one.piece().sizeBytes()).sum()
                    + cold.stream().mapToLong(one -> one.piece().sizeBytes()).sum();
        }
    }

    /** Of one allocation, as it is and as it was. */
    private record Part(Allocation there, DeviceContent.Allocation saved) {}

    private final List<Part> parts;
    private final MemoryTier memory;
    private final UUID owner;
    private final LoadedChunks loaded;

    private FillPlan(List<Part> parts, MemoryTier memory, UUID owner, LoadedChunks loaded) {
        this.parts = parts;
        this.memory = memory;
        this.owner = owner;
        this.loaded = loaded;
    }

    /**
     * @param owner whose slots the content may name
     * @throws GpuException PROTOCOL when the allocations are not the content's
     */
    static FillPlan of(DeviceContent content, Arrival arrival, MemoryTier memory, UUID owner, LoadedChunks loaded)
            throws GpuException {
        Map<Long, DeviceContent.Allocation> byId = new HashMap<>();
        content.allocations().forEach(allocation -> byId.put(allocation.id(), allocation));
        List<Part> parts = new ArrayList<>();
        for (Allocation there : arrival.allocations()) {
            DeviceContent.Allocation saved = byId.remove(there.id());
            if (saved == null) {
                throw differs("the workload has an allocation that was not saved: " + there.id());
            }
            if (there.sizeBytes() != saved.sizeBytes() || there.address() != saved.address()) {
                throw differs("allocation " + there.id() + " is not what it was");
            }
            if (saved.chunks().size() != Piece.count(there)) {
                throw differs("%d chunks do not fill an allocation of %d"
                        .formatted(saved.chunks().size(), Piece.count(there)));
            }
            parts.add(new Part(there, saved));
        }
        if (!byId.isEmpty()) {
            throw differs("the workload no longer has the allocations " + byId.keySet());
        }
        return new FillPlan(parts, memory, owner, loaded);
    }

    private static GpuException differs(String what) {
        return new GpuException(GpuStatus.PROTOCOL, what);
    }

    /** On how many GPUs it is. */
    int gpus() {
        return (int) parts.stream()
                .mapToInt(part -> part.there().gpuOrdinal())
                .distinct()
                .count();
    }

    /**
     * All of it, in the order in which its memory arrives; batches of one GPU each.
     *
     * @throws TierException MISSING when a slot that the content names is no longer the owner's
     */
    void each(int size, Consumer<List<Wanted>> batches) throws TierException {
        Map<Integer, List<Wanted>> open = new LinkedHashMap<>();
        for (Part part : parts) {
            int gpuOrdinal = part.there().gpuOrdinal();
            for (Piece piece : Piece.of(List.of(part.there()))) {
                DeviceContent.Chunk chunk = part.saved().chunks().get(piece.number());
                List<Wanted> batch = open.computeIfAbsent(gpuOrdinal, ordinal -> new ArrayList<>());
                batch.add(new Wanted(piece, chunk.ref(), slot(chunk)));
                if (batch.size() == size) {
                    batches.accept(batch);
                    open.remove(gpuOrdinal);
                }
            }
        }
        open.values().forEach(batches);
    }

    private Optional<MemorySegment> slot(DeviceContent.Chunk chunk) throws TierException {
        if (chunk.slot() < 0) {
            return Optional.empty();
        }
        return Optional.of(memory.owned(owner, chunk.slot())
                .orElseThrow(() -> new TierException(
                        Reason.MISSING, "slot " + chunk.slot() + " of the pool is no longer this operation's"))
                .first(chunk.sizeBytes()));
    }

    /** Those of the loaded chunks that some of it is made of. */
    static Set<ChunkDigest> digests(List<Wanted> some) {
        return some.stream()
                .filter(one -> one.slot().isEmpty())
                .flatMap(one -> one.chunk().content().stream())
                .collect(Collectors.toUnmodifiableSet());
    }

    /** Where they come from. */
    Batch look(List<Wanted> some) {
        Batch batch = new Batch(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
        for (Wanted one : some) {
            ChunkRef chunk = one.chunk();
            if (chunk.isZero()) {
                batch.zeros().add(one.piece());
                continue;
            }
            Optional<MemorySegment> host = one.slot().or(() -> loaded.find(new ChunkDigest(chunk.digest())));
            if (host.isPresent()) {
                batch.hot().add(new Hot(one.piece(), chunk, host.get()));
            } else {
                batch.cold().add(new Cold(one.piece(), chunk));
            }
        }
        return batch;
    }
}
