package io.gpusnap.node.engine.device;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Hashes and stores drained device memory out of the slots that it waits in. */
public final class DeviceStore {

    private final MemoryTier memory;
    private final SavePins pins;
    private final UUID owner;

    public DeviceStore(MemoryTier memory, SavePins pins, UUID owner) {
        this.memory = memory;
        this.pins = pins;
        this.owner = owner;
    }

    /** @throws TierException MISSING when a slot is no longer the owner's; NO_SPACE, IO */
    public List<Manifest.Allocation> store(DeviceContent content, Transfer transfer)
            throws TierException, InterruptedException {
        List<DeviceContent.Chunk> waiting = new ArrayList<>();
        Set<ChunkDigest> storedBefore = new HashSet<>();
        for (DeviceContent.Allocation allocation : content.allocations()) {
            for (DeviceContent.Chunk chunk : allocation.chunks()) {
                if (chunk.slot() >= 0) {
                    waiting.add(chunk);
                } else {
                    new ChunkRef(chunk.digest(), chunk.sizeBytes()).content().ifPresent(storedBefore::add);
                    transfer.progress().accept(chunk.sizeBytes());
                }
            }
        }
        pins.pin(storedBefore);
        Map<Integer, ChunkRef> bySlot = new ConcurrentHashMap<>();
        Crew.each("device-store", transfer.threads(), TierException.class, waiting, () -> {
            TreeDigester digester = new TreeDigester();
            return chunk -> {
                transfer.safePoint().run();
                bySlot.put(chunk.slot(), storeOne(chunk, digester));
                transfer.progress().accept(chunk.sizeBytes());
            };
        });
        return content.allocations().stream()
                .map(allocation -> describe(allocation, bySlot))
                .toList();
    }

    private ChunkRef storeOne(DeviceContent.Chunk chunk, TreeDigester digester) throws TierException {
        Slot slot = memory.owned(owner, chunk.slot())
                .orElseThrow(() -> new TierException(
                        Reason.MISSING, "slot " + chunk.slot() + " of the pool is no longer this operation's"));
        ChunkRef ref = digester.digest(slot.first(chunk.sizeBytes()));
        pins.store(ref, slot.first(chunk.sizeBytes()));
        memory.settle(slot, ref);
        return ref;
    }

    private static Manifest.Allocation describe(DeviceContent.Allocation allocation, Map<Integer, ChunkRef> bySlot) {
        List<ChunkRef> chunks = allocation.chunks().stream()
                .map(chunk -> chunk.slot() >= 0
                        ? Objects.requireNonNull(bySlot.get(chunk.slot()))
                        : new ChunkRef(chunk.digest(), chunk.sizeBytes()))
                .toList();
        return new Manifest.Allocation(
                allocation.id(),
                "0x" + Long.toHexString(allocation.address()),
                allocation.sizeBytes(),
                allocation.gpuOrdinal(),
                chunks);
    }
}
