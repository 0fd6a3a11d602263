package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.Allocation;
import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.Direction;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.Lease;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Brings device memory into slots of the pool, as far as it is not there yet: the GPU hashes all of it where it is, and only
 * chunks that are neither zero, nor repeated, nor in the pool already cross the bus. (A copy from an earlier life of the daemon does not
 * count: to verify it takes longer than to copy it anew.)
 *
 * <p>A chunk that only a slower tier has crosses the bus as well. It costs less than reading it there to see that it is still
 * good, which it must be: what is not copied here, the way back of a failed save would have to read from there.
 *
 * <p>What the application can rebuild counts as zero: it comes back as fresh memory.
 *
 * <p>With too few slots, as many chunks as are too many are stored while others are being copied, and their slots are used
 * again; the rest stays in its slots.
 */
public final class DeviceDrain {

    /**
     * What is where, and what it took.
     *
     * @param reused chunks of the content that were in the pool already; must stay open while the content is the only way back
     * @param movedBytes what crossed the bus
     * @param rebuildableBytes what was left out because the application can rebuild it
     */
    public record Drained(DeviceContent content, LoadedChunks reused, long movedBytes, long rebuildableBytes) {}

    private static final BitSet NONE = new BitSet();
    /** 256 MiB a copy call: long enough to run at bus speed, short enough to show progress. */
    private static final int BATCH = 64;
    /** Copy calls at once: while one ends, the next is already on its way. */
    private static final int COPIERS = 2;

    private record Filled(Piece piece, Slot slot) {}

    private final GpuPort gpu;
    private final MemoryTier memory;
    private final SavePins pins;
    private final UUID owner;
    private final Map<Piece, ChunkRef> refs = new LinkedHashMap<>();
    private final ConcurrentMap<ChunkRef, DeviceContent.Chunk> done = new ConcurrentHashMap<>();
    private final LinkedBlockingQueue<Slot> free = new LinkedBlockingQueue<>();

    public DeviceDrain(GpuPort gpu, MemoryTier memory, SavePins pins, UUID owner) {
        this.gpu = gpu;
        this.memory = memory;
        this.pins = pins;
        this.owner = owner;
    }

    /**
     * @param allocations imported; the copy is complete when this returns
     * @param rebuildable numbers of chunks to be left out, by allocation id
     * @throws TierException NO_SPACE when there is not a single slot, or the store is full
     */
    public Drained drain(List<Allocation> allocations, Map<Long, BitSet> rebuildable, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        List<Piece> pieces = Piece.of(allocations);
        Predicate<Piece> isLeftOut =
                piece -> rebuildable.getOrDefault(piece.allocation().id(), NONE).get(piece.number());
        List<Piece> leftOut = pieces.stream().filter(isLeftOut).toList();
        leftOut.forEach(piece -> refs.put(piece, ChunkRef.zero(piece.sizeBytes())));
        digest(pieces.stream().filter(isLeftOut.negate()).toList(), transfer);
        LoadedChunks reused = new LoadedChunks();
        try {
            List<Piece> missing = missing(reused, transfer);
            fetch(missing, transfer);
            return new Drained(content(allocations, pieces), reused, sizeOf(missing), sizeOf(leftOut));
        } catch (Throwable e) {
            reused.close();
            throw e;
        }
    }

    private static long sizeOf(List<Piece> pieces) {
        return pieces.stream().mapToLong(Piece::sizeBytes).sum();
    }

    private void digest(List<Piece> pieces, Transfer transfer) throws GpuException {
        for (Map.Entry<Integer, List<Piece>> ofGpu : Piece.byGpu(pieces).entrySet()) {
            transfer.safePoint().run();
            List<Piece> there = ofGpu.getValue();
            List<DeviceDigest> digests =
                    gpu.digest(ofGpu.getKey(), there.stream().map(Piece::span).toList());
            for (int i = 0; i < there.size(); i++) {
                refs.put(there.get(i), ref(digests.get(i), there.get(i).sizeBytes()));
            }
        }
    }

    static ChunkRef ref(DeviceDigest digest, int sizeBytes) {
        return digest.zero() ? ChunkRef.zero(sizeBytes) : new ChunkRef(digest.hex(), sizeBytes);
    }

    /** One piece for each chunk that is not in the pool. */
    private List<Piece> missing(LoadedChunks reused, Transfer transfer) throws TierException {
        Map<ChunkRef, Piece> missing = new LinkedHashMap<>();
        for (Map.Entry<Piece, ChunkRef> entry : refs.entrySet()) {
            ChunkRef ref = entry.getValue();
            boolean known = done.containsKey(ref) || missing.containsKey(ref);
            if (!known && (ref.isZero() || isInPool(ref, reused))) {
                done.put(ref, DeviceContent.Chunk.stored(ref));
            } else if (!known) {
                missing.put(ref, entry.getKey());
                continue;
            }
            transfer.progress().accept(entry.getKey().sizeBytes());
        }
        return List.copyOf(missing.values());
    }

    /** And in the store: the pool may still have what a save that failed has taken out of it again. */
    private boolean isInPool(ChunkRef ref, LoadedChunks reused) throws TierException {
        ChunkDigest digest = new ChunkDigest(ref.digest());
        Optional<Lease> found = pins.pinStored(ref, () -> memory.leaseVerified(digest, ref.sizeBytes()));
        found.ifPresent(lease -> reused.add(digest, lease));
        return found.isPresent();
    }

    private void fetch(List<Piece> missing, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        // In the pool's order: neighbours in device memory become neighbours here, and are copied in one piece.
        memory.claim(owner, missing.size()).stream()
                .sorted(Comparator.comparingInt(Slot::index))
                .forEach(free::add);
        if (free.isEmpty() && !missing.isEmpty()) {
            throw new TierException(Reason.NO_SPACE, "no slot of the pinned pool is free (memory.poolBytes)");
        }
        int tooMany = missing.size() - free.size();
        stream(missing.subList(0, tooMany), transfer);
        List<List<Filled>> batches = Piece.batches(missing.subList(tooMany, missing.size()), BATCH).stream()
                .map(this::withSlots)
                .toList();
        Crew.each("drain", COPIERS, GpuException.class, batches, () -> batch -> {
            transfer.safePoint().run();
            copy(batch, transfer);
            for (Filled filled : batch) {
                ChunkRef ref = ref(filled);
                done.put(ref, DeviceContent.Chunk.inSlot(filled.slot().index(), ref));
            }
        });
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
            for (List<Piece> some : Piece.batches(pieces, batch)) {
                transfer.safePoint().run();
                while (free.size() < some.size()) {
                    crew.check();
                    Slot slot = free.poll(5, TimeUnit.MILLISECONDS);
                    if (slot != null) {
                        free.add(slot);
                    }
                }
                List<Filled> filled = withSlots(some);
                copy(filled, transfer);
                filled.forEach(crew::submit);
            }
            crew.finish();
        }
    }

    /** The store will have the only copy: it is compared with what the GPU saw before it counts. */
    private void store(Filled filled, TreeDigester digester) throws TierException {
        ChunkRef ref = ref(filled);
        ChunkRef arrived = digester.digest(filled.slot().first(ref.sizeBytes()));
        if (!arrived.equals(ref)) {
            throw new TierException(
                    Reason.CORRUPT,
                    "device memory of digest %s arrived as %s".formatted(ref.digest(), arrived.digest()));
        }
        pins.store(ref, filled.slot().first(ref.sizeBytes()));
        done.put(ref, DeviceContent.Chunk.stored(ref));
        free.add(filled.slot());
    }

    private ChunkRef ref(Filled filled) {
        return Objects.requireNonNull(refs.get(filled.piece()));
    }

    private List<Filled> withSlots(List<Piece> pieces) {
        return pieces.stream().map(piece -> new Filled(piece, free.remove())).toList();
    }

    private void copy(List<Filled> batch, Transfer transfer) throws GpuException {
        Map<Integer, List<CopyItem>> items = new HashMap<>();
        for (Filled filled : batch) {
            items.computeIfAbsent(filled.piece().gpuOrdinal(), gpuOrdinal -> new ArrayList<>())
                    .add(new CopyItem(
                            filled.piece().address(),
                            filled.slot().first(filled.piece().sizeBytes())));
        }
        for (Map.Entry<Integer, List<CopyItem>> ofGpu : items.entrySet()) {
            gpu.copy(ofGpu.getKey(), Direction.DEVICE_TO_HOST, ofGpu.getValue());
        }
        batch.forEach(filled -> transfer.progress().accept(filled.piece().sizeBytes()));
    }

    private DeviceContent content(List<Allocation> allocations, List<Piece> pieces) {
        Map<Allocation, List<DeviceContent.Chunk>> chunks = new LinkedHashMap<>();
        allocations.forEach(allocation -> chunks.put(allocation, new ArrayList<>()));
        for (Piece piece : pieces) {
            Objects.requireNonNull(chunks.get(piece.allocation()))
                    .add(Objects.requireNonNull(done.get(Objects.requireNonNull(refs.get(piece)))));
        }
        List<DeviceContent.Allocation> contents = new ArrayList<>();
        chunks.forEach((allocation, its) -> contents.add(new DeviceContent.Allocation(
                allocation.id(), allocation.address(), allocation.sizeBytes(), allocation.gpuOrdinal(), its)));
        return new DeviceContent(contents);
    }
}
