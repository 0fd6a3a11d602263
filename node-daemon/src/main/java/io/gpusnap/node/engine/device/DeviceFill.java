package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.gpu.GpuStatus;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.SlotReader;
import io.gpusnap.node.transfer.Transfer;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Fills fresh device memory: zeros by the device itself, what is in the pool at bus speed, and the rest read and verified
 * into whatever slots are free, chunk by chunk.
 */
public final class DeviceFill {

    private static final int BATCH = 32;
    /** Copy calls at once: while one ends, the next is already on its way. */
    private static final int COPIERS = 2;

    private record Hot(int gpuOrdinal, List<CopyItem> items) {}

    private record Cold(int gpuOrdinal, long address, ChunkRef chunk) {}

    private record Zeros(int gpuOrdinal, long address, long sizeBytes) {}

    private final GpuPort gpu;
    private final MemoryTier memory;
    private final NvmeTier nvme;
    private final UUID owner;
    private final LoadedChunks loaded;
    private final Map<Integer, List<CopyItem>> open = new HashMap<>();
    private final List<Hot> hot = new ArrayList<>();
    private final List<Cold> cold = new ArrayList<>();
    private final List<Zeros> zeros = new ArrayList<>();

    /** @param loaded verified chunks in the pool; may be empty */
    public DeviceFill(GpuPort gpu, MemoryTier memory, NvmeTier nvme, UUID owner, LoadedChunks loaded) {
        this.gpu = gpu;
        this.memory = memory;
        this.nvme = nvme;
        this.owner = owner;
        this.loaded = loaded;
    }

    /**
     * @param target imported allocations, the same as the content's
     * @return bytes that crossed the bus: all but the zeros
     * @throws TierException also when the content's slots are no longer the owner's (MISSING)
     * @throws GpuException PROTOCOL when the allocations are not the content's
     */
    public long fill(DeviceContent content, List<Allocation> target, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        plan(content, target);
        for (Zeros run : zeros) {
            transfer.safePoint().run();
            gpu.fillZero(run.gpuOrdinal(), run.address(), run.sizeBytes());
            transfer.progress().accept(run.sizeBytes());
        }
        Crew.each("fill", COPIERS, GpuException.class, hot, () -> batch -> {
            transfer.safePoint().run();
            gpu.copy(batch.gpuOrdinal(), Direction.HOST_TO_DEVICE, batch.items());
            transfer.progress()
                    .accept(batch.items().stream()
                            .mapToLong(item -> item.host().byteSize())
                            .sum());
        });
        fillCold(transfer);
        return content.sizeBytes() - zeros.stream().mapToLong(Zeros::sizeBytes).sum();
    }

    private void fillCold(Transfer transfer) throws GpuException, TierException, InterruptedException {
        if (cold.isEmpty()) {
            return;
        }
        List<Slot> slots = memory.claim(owner, Math.min(cold.size(), 2 * transfer.threads()));
        try (SlotReader reader = new SlotReader(nvme, slots, transfer)) {
            for (Cold piece : cold) {
                reader.request(piece.chunk());
            }
            for (Cold piece : cold) {
                transfer.safePoint().run();
                SlotReader.Lent lent = reader.next();
                gpu.copy(
                        piece.gpuOrdinal(),
                        Direction.HOST_TO_DEVICE,
                        List.of(new CopyItem(piece.address(), lent.content())));
                reader.done(lent);
                transfer.progress().accept(piece.chunk().sizeBytes());
            }
        } finally {
            slots.forEach(memory::free);
        }
    }

    private void plan(DeviceContent content, List<Allocation> target) throws GpuException, TierException {
        Map<Long, Allocation> byId = new HashMap<>();
        target.forEach(allocation -> byId.put(allocation.id(), allocation));
        for (DeviceContent.Allocation allocation : content.allocations()) {
            Allocation there = byId.remove(allocation.id());
            if (there == null
                    || there.sizeBytes() != allocation.sizeBytes()
                    || there.address() != allocation.address()) {
                throw differs("allocation " + allocation.id() + " is not what it was");
            }
            planOne(allocation, there);
        }
        open.forEach((gpuOrdinal, items) -> hot.add(new Hot(gpuOrdinal, items)));
        if (!byId.isEmpty()) {
            throw differs("the workload has allocations that were not saved: " + byId.keySet());
        }
    }

    private void planOne(DeviceContent.Allocation allocation, Allocation there) throws TierException {
        List<CopyItem> items = open.computeIfAbsent(there.gpuOrdinal(), gpuOrdinal -> new ArrayList<>());
        long address = there.localAddress();
        long zerosFrom = address;
        for (DeviceContent.Chunk chunk : allocation.chunks()) {
            boolean zero = false;
            Optional<MemorySegment> inPool = inPool(chunk);
            if (inPool.isPresent()) {
                items.add(new CopyItem(address, inPool.get()));
            } else {
                ChunkRef ref = new ChunkRef(chunk.digest(), chunk.sizeBytes());
                zero = ref.isZero();
                if (!zero) {
                    cold.add(new Cold(there.gpuOrdinal(), address, ref));
                }
            }
            if (!zero) {
                addZeros(there.gpuOrdinal(), zerosFrom, address);
                zerosFrom = address + chunk.sizeBytes();
            }
            if (items.size() == BATCH) {
                hot.add(new Hot(there.gpuOrdinal(), List.copyOf(items)));
                items.clear();
            }
            address += chunk.sizeBytes();
        }
        addZeros(there.gpuOrdinal(), zerosFrom, address);
    }

    private void addZeros(int gpuOrdinal, long from, long to) {
        if (to > from) {
            zeros.add(new Zeros(gpuOrdinal, from, to - from));
        }
    }

    private Optional<MemorySegment> inPool(DeviceContent.Chunk chunk) throws TierException {
        if (chunk.slot() >= 0) {
            return Optional.of(memory.owned(owner, chunk.slot())
                    .orElseThrow(() -> new TierException(
                            Reason.MISSING, "slot " + chunk.slot() + " of the pool is no longer this operation's"))
                    .first(chunk.sizeBytes()));
        }
        ChunkRef ref = new ChunkRef(chunk.digest(), chunk.sizeBytes());
        return ref.isZero() ? Optional.empty() : loaded.find(new ChunkDigest(ref.digest()));
    }

    private static GpuException differs(String what) {
        return new GpuException(GpuStatus.PROTOCOL, what);
    }
}
