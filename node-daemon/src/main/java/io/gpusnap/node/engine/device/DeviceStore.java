package io.gpusnap.node.engine.device;

import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.Transfer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Stores drained device memory out of the slots that it waits in, under the digests that the GPU gave it. */
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
        Map<Integer, DeviceContent.Chunk> waiting = new LinkedHashMap<>();
        for (DeviceContent.Allocation allocation : content.allocations()) {
            for (DeviceContent.Chunk chunk : allocation.chunks()) {
                if (chunk.slot() < 0 || waiting.putIfAbsent(chunk.slot(), chunk) != null) {
                    transfer.progress().accept(chunk.sizeBytes());
                }
            }
        }
        pins.pin(content.storedDigests());
        Crew.each("device-store", transfer.threads(), TierException.class, waiting.values(), () -> chunk -> {
            transfer.safePoint().run();
            storeOne(chunk);
            transfer.progress().accept(chunk.sizeBytes());
        });
        return content.allocations().stream().map(DeviceStore::describe).toList();
    }

    private void storeOne(DeviceContent.Chunk chunk) throws TierException {
        Slot slot = memory.owned(owner, chunk.slot())
                .orElseThrow(() -> new TierException(
                        Reason.MISSING, "slot " + chunk.slot() + " of the pool is no longer this operation's"));
        pins.store(chunk.ref(), slot.first(chunk.sizeBytes()));
        memory.settle(slot, chunk.ref());
    }

    private static Manifest.Allocation describe(DeviceContent.Allocation allocation) {
        return new Manifest.Allocation(
                allocation.id(),
                "0x" + Long.toHexString(allocation.address()),
                allocation.sizeBytes(),
                allocation.gpuOrdinal(),
                allocation.chunks().stream().map(DeviceContent.Chunk::ref).toList());
    }
}
