package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * Copies device memory into slots of the pool. With slots enough that is all: nothing is hashed while the workload waits.
 * With too few, as many chunks as are too many are hashed and stored while others are being copied, and their slots are used
 * again; the rest stays in its slots.
 */
public final class DeviceDrain {

    /** 128 MiB a copy call: long enough to run at bus speed, short enough to show progress. */
    private static final int BATCH = 32;

    private record Piece(Allocation allocation, int number, int sizeBytes) {
        long address() {
            return allocation.localAddress() + (long) number * Slot.BYTES;
        }
    }

    private record Filled(Piece piece, Slot slot) {}

    private final GpuPort gpu;
    private final MemoryTier memory;
    private final SavePins pins;
    private final UUID owner;
    private final ConcurrentMap<Piece, DeviceContent.Chunk> done = new ConcurrentHashMap<>();
    private final LinkedBlockingQueue<Slot> free = new LinkedBlockingQueue<>();

    public DeviceDrain(GpuPort gpu, MemoryTier memory, SavePins pins, UUID owner) {
        this.gpu = gpu;
        this.memory = memory;
        this.pins = pins;
        this.owner = owner;
    }

    /**
     * @param allocations imported; the copy is complete when this returns
     * @throws TierException NO_SPACE when there is not a single slot, or the store is full
     */
    public DeviceContent drain(List<Allocation> allocations, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        List<Piece> pieces = pieces(allocations);
        free.addAll(memory.claim(owner, pieces.size()));
        if (free.isEmpty() && !pieces.isEmpty()) {
            throw new TierException(Reason.NO_SPACE, "no slot of the pinned pool is free (memory.poolBytes)");
        }
        int tooMany = pieces.size() - free.size();
        stream(pieces.subList(0, tooMany), transfer);
        for (List<Piece> batch : batches(pieces.subList(tooMany, pieces.size()), BATCH)) {
            transfer.safePoint().run();
            for (Filled filled : copy(batch, transfer)) {
                done.put(
                        filled.piece(),
                        DeviceContent.Chunk.inSlot(
                                filled.slot().index(), filled.piece().sizeBytes()));
            }
        }
        return content(allocations, pieces);
    }

    private void stream(List<Piece> pieces, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        if (pieces.isEmpty()) {
            return;
        }
        int batch = Math.clamp(free.size() / 2, 1, BATCH);
        try (Crew<Filled, TierException> crew =
                new Crew<>("drain-store", transfer.threads(), TierException.class, () -> {
                    TreeDigester digester = new TreeDigester();
                    return filled -> store(filled, digester);
                })) {
            for (List<Piece> some : batches(pieces, batch)) {
                transfer.safePoint().run();
                while (free.size() < some.size()) {
                    crew.check();
                    Slot slot = free.poll(5, TimeUnit.MILLISECONDS);
                    if (slot != null) {
                        free.add(slot);
                    }
                }
                copy(some, transfer).forEach(crew::submit);
            }
            crew.finish();
        }
    }

    private void store(Filled filled, TreeDigester digester) throws TierException {
        ChunkRef chunk = digester.digest(filled.slot().first(filled.piece().sizeBytes()));
        pins.store(chunk, filled.slot().first(chunk.sizeBytes()));
        done.put(filled.piece(), DeviceContent.Chunk.stored(chunk));
        free.add(filled.slot());
    }

    /** One copy call for each GPU among the pieces. */
    private List<Filled> copy(List<Piece> pieces, Transfer transfer) throws GpuException {
        List<Filled> filled = new ArrayList<>();
        List<CopyItem> items = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            Slot slot = free.remove();
            filled.add(new Filled(piece, slot));
            items.add(new CopyItem(piece.address(), slot.first(piece.sizeBytes())));
            int ordinal = piece.allocation().gpuOrdinal();
            if (i + 1 == pieces.size() || pieces.get(i + 1).allocation().gpuOrdinal() != ordinal) {
                gpu.copy(ordinal, Direction.DEVICE_TO_HOST, items);
                items.clear();
            }
            transfer.progress().accept(piece.sizeBytes());
        }
        return filled;
    }

    private static List<Piece> pieces(List<Allocation> allocations) {
        List<Piece> pieces = new ArrayList<>();
        for (Allocation allocation : allocations) {
            long chunks = Math.ceilDiv(allocation.sizeBytes(), Slot.BYTES);
            for (int number = 0; number < chunks; number++) {
                long left = allocation.sizeBytes() - (long) number * Slot.BYTES;
                pieces.add(new Piece(allocation, number, (int) Math.min(Slot.BYTES, left)));
            }
        }
        return pieces;
    }

    private static List<List<Piece>> batches(List<Piece> pieces, int size) {
        List<List<Piece>> batches = new ArrayList<>();
        for (int from = 0; from < pieces.size(); from += size) {
            batches.add(pieces.subList(from, Math.min(pieces.size(), from + size)));
        }
        return batches;
    }

    private DeviceContent content(List<Allocation> allocations, List<Piece> pieces) {
        List<DeviceContent.Allocation> contents = new ArrayList<>();
        int next = 0;
        for (Allocation allocation : allocations) {
            List<DeviceContent.Chunk> chunks = new ArrayList<>();
            while (next < pieces.size() && pieces.get(next).allocation().equals(allocation)) {
                DeviceContent.Chunk chunk = done.get(pieces.get(next++));
                chunks.add(Objects.requireNonNull(chunk));
            }
            contents.add(new DeviceContent.Allocation(
                    allocation.id(), allocation.address(), allocation.sizeBytes(), allocation.gpuOrdinal(), chunks));
        }
        return new DeviceContent(contents);
    }
}
