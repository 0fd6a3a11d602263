package io.gpusnap.node.engine.device;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where the content of a workload's device memory is. Remembered before the memory is released: from then on it is the only
 * way back.
 */
public record DeviceContent(List<Allocation> allocations) {

    /** @param address in the workload */
    public record Allocation(long id, long address, long sizeBytes, int gpuOrdinal, List<Chunk> chunks) {

        public Allocation {
            chunks = List.copyOf(chunks);
        }
    }

    /**
     * @param slot of the pool; -1 when it is in none of the operation's own
     * @param digest as in {@link ChunkRef}
     */
    public record Chunk(int slot, int sizeBytes, String digest) {

        public static Chunk stored(ChunkRef chunk) {
            return new Chunk(-1, chunk.sizeBytes(), chunk.digest());
        }

        public static Chunk inSlot(int slot, ChunkRef chunk) {
            return new Chunk(slot, chunk.sizeBytes(), chunk.digest());
        }

        public ChunkRef ref() {
            return new ChunkRef(digest, sizeBytes);
        }
    }

    public DeviceContent {
        allocations = List.copyOf(allocations);
    }

    /** What a manifest names: nothing of it is in a slot of its own. */
    public static DeviceContent of(Manifest.Device device) {
        return new DeviceContent(device.allocations().stream()
                .map(allocation -> new Allocation(
                        allocation.id(),
                        Long.parseUnsignedLong(allocation.address().substring(2), 16),
                        allocation.sizeBytes(),
                        allocation.gpuOrdinal(),
                        allocation.chunks().stream().map(Chunk::stored).toList()))
                .toList());
    }

    /** The part of it that belongs to some allocations. */
    public DeviceContent of(Collection<io.gpusnap.gpu.Allocation> some) {
        Set<Long> ids = some.stream().map(io.gpusnap.gpu.Allocation::id).collect(Collectors.toUnmodifiableSet());
        return new DeviceContent(allocations.stream()
                .filter(allocation -> ids.contains(allocation.id()))
                .toList());
    }

    /** @param ids of allocations that are left out */
    public DeviceContent without(Set<Long> ids) {
        return new DeviceContent(allocations.stream()
                .filter(allocation -> !ids.contains(allocation.id()))
                .toList());
    }

    public long sizeBytes() {
        return allocations.stream().mapToLong(Allocation::sizeBytes).sum();
    }

    /** Chunks that the store has: no slot of the operation's own does. */
    public Set<ChunkRef> stored() {
        return allocations.stream()
                .flatMap(allocation -> allocation.chunks().stream())
                .filter(chunk -> chunk.slot() < 0)
                .map(Chunk::ref)
                .filter(chunk -> !chunk.isZero())
                .collect(Collectors.toUnmodifiableSet());
    }

    public Set<ChunkDigest> storedDigests() {
        return stored().stream().flatMap(chunk -> chunk.content().stream()).collect(Collectors.toUnmodifiableSet());
    }
}
