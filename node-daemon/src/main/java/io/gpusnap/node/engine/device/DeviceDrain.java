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
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
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
 * <p>With too few slots, what there is none for is stored while more is being copied, and so are a few chunks that were copied
 * before, whose slots it goes through; the rest stays in its slots.
 */
public final class DeviceDrain {

    /**
     * What it took.
     *
     * @param reused chunks of the content that were in the pool already; must stay open while the content is the only way back
     * @param movedBytes what crossed the bus
     * @param rebuildableBytes what was left out because the application can rebuild it
     */
    public record Drained(LoadedChunks reused, long movedBytes, long rebuildableBytes) {}

    private static final BitSet NONE = new BitSet();
    /** 256 MiB a copy call: long enough to run at bus speed, short enough to show progress. */
    private static final int BATCH = 64;
    /** 512 MiB a digest call: the first copies begin soon, and the device hashes ten times as fast as the bus takes it away. */
    private static final int HASH_BATCH = 128;
    /** Copy calls at once on a GPU: while one ends, the next is already on its way. */
    private static final int COPIERS = 2;
    /** Enough for a batch to be looked up before the device has hashed the next one. */
    private static final int LOOKERS = 4;

    private record Filled(Piece piece, Slot slot) {}

    private final GpuPort gpu;
    private final MemoryTier memory;
    private final SavePins pins;
    private final UUID owner;
    private final ConcurrentMap<Piece, ChunkRef> refs = new ConcurrentHashMap<>();
    private final ConcurrentMap<ChunkRef, DeviceContent.Chunk> places = new ConcurrentHashMap<>();
    private final LinkedBlockingQueue<Slot> free = new LinkedBlockingQueue<>();
    /** What was copied and stays in its slot, unless there are too few. */
    private final Queue<Filled> kept = new ConcurrentLinkedQueue<>();

    public DeviceDrain(GpuPort gpu, MemoryTier memory, SavePins pins, UUID owner) {
        this.gpu = gpu;
        this.memory = memory;
        this.pins = pins;
        this.owner = owner;
    }

    /**
     * @param arrival of all of the memory; the copy is complete when this returns
     * @param rebuildable numbers of chunks to be left out, by allocation id
     * @param whereabouts is told once where everything is, as soon as that is clear: as a rule while the last copies are under way,
     *     so it is true only once this has returned
     * @throws TierException NO_SPACE when there is not a single slot, or the store is full
     */
    public Drained drain(
            Arrival arrival, Map<Long, BitSet> rebuildable, Consumer<DeviceContent> whereabouts, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        List<Piece> pieces = Piece.of(arrival.allocations());
        Predicate<Piece> isLeftOut =
                piece -> rebuildable.getOrDefault(piece.allocation().id(), NONE).get(piece.number());
        List<Piece> leftOut = pieces.stream().filter(isLeftOut).toList();
        for (Piece piece : leftOut) {
            ChunkRef zero = ChunkRef.zero(piece.sizeBytes());
            refs.put(piece, zero);
            places.put(zero, DeviceContent.Chunk.stored(zero));
            transfer.progress().accept(piece.sizeBytes());
        }
        LoadedChunks reused = new LoadedChunks();
        try {
            List<Piece> wanted = pieces.stream().filter(isLeftOut.negate()).toList();
            Runnable tell = () -> whereabouts.accept(content(arrival.allocations(), pieces));
            long movedBytes = fetch(arrival, wanted, reused, tell, transfer);
            return new Drained(reused, movedBytes, sizeOf(leftOut));
        } catch (Throwable e) {
            reused.close();
            throw e;
        }
    }

    private static long sizeOf(List<Piece> pieces) {
        return pieces.stream().mapToLong(Piece::sizeBytes).sum();
    }

    /**
     * Copies begin while the device still hashes, into slots that hold nothing. A slot with a clean copy may be what a later
     * piece turns out to need: such slots are taken once every piece is hashed.
     *
     * @return bytes that crossed the bus
     */
    private long fetch(Arrival arrival, List<Piece> wanted, LoadedChunks reused, Runnable tell, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        List<List<Piece>> batches = Batches.byTurns(wanted, Piece::gpuOrdinal, HASH_BATCH);
        Set<ChunkRef> seen = new HashSet<>();
        List<Piece> waiting = new ArrayList<>();
        long movedBytes = 0;
        try (Crew<List<Filled>, GpuException> copiers =
                new Crew<>("drain", COPIERS * Piece.gpus(wanted.stream()), GpuException.class, () -> batch -> {
                    transfer.safePoint().run();
                    copy(batch, transfer);
                    kept.addAll(batch);
                })) {
            for (List<Piece> batch : batches) {
                transfer.safePoint().run();
                copiers.check();
                arrival.await(batch.getLast().allocation());
                digest(batch);
                List<Piece> missing = missing(batch, seen, reused, transfer);
                movedBytes += sizeOf(missing);
                waiting.addAll(missing);
                hold(memory.claimEmpty(owner, waiting.size()));
                withSlots(waiting, BATCH).forEach(copiers::submit);
            }
            hold(memory.claim(owner, waiting.size()));
            withSlots(waiting, BATCH).forEach(copiers::submit);
            if (waiting.isEmpty()) {
                tell.run();
            }
            copiers.finish();
        }
        if (!waiting.isEmpty()) {
            stream(waiting, transfer);
            tell.run();
        }
        return movedBytes;
    }

    private void digest(List<Piece> ofGpu) throws GpuException {
        List<DeviceDigest> digests = gpu.digest(
                ofGpu.getFirst().gpuOrdinal(), ofGpu.stream().map(Piece::span).toList());
        for (int i = 0; i < ofGpu.size(); i++) {
            refs.put(ofGpu.get(i), ref(digests.get(i), ofGpu.get(i).sizeBytes()));
        }
    }

    static ChunkRef ref(DeviceDigest digest, int sizeBytes) {
        return digest.zero() ? ChunkRef.zero(sizeBytes) : new ChunkRef(digest.hex(), sizeBytes);
    }

    /** One piece for each chunk that is not in the pool. */
    private List<Piece> missing(List<Piece> pieces, Set<ChunkRef> seen, LoadedChunks reused, Transfer transfer)
            throws TierException, InterruptedException {
        List<Piece> fresh = new ArrayList<>();
        for (Piece piece : pieces) {
            if (seen.add(ref(piece))) {
                fresh.add(piece);
            }
        }
        List<ChunkRef> wanted =
                fresh.stream().map(this::ref).filter(ref -> !ref.isZero()).toList();
        // Each is a look into the file system too, and the workload stands still.
        Crew.each(
                "look-up",
                Math.min(LOOKERS, transfer.threads()),
                TierException.class,
                wanted,
                () -> ref -> lookUp(ref, reused));
        List<Piece> missing = new ArrayList<>();
        for (Piece piece : fresh) {
            ChunkRef ref = ref(piece);
            if (ref.isZero() || reused.find(new ChunkDigest(ref.digest())).isPresent()) {
                places.put(ref, DeviceContent.Chunk.stored(ref));
            } else {
                missing.add(piece);
            }
        }
        transfer.progress().accept(sizeOf(pieces) - sizeOf(missing));
        return missing;
    }

    /** And in the store: the pool may still have what a save that failed has taken out of it again. */
    private void lookUp(ChunkRef ref, LoadedChunks reused) throws TierException {
        ChunkDigest digest = new ChunkDigest(ref.digest());
        pins.pinStored(ref, () -> memory.leaseVerified(digest, ref.sizeBytes()))
                .ifPresent(lease -> reused.add(digest, lease));
    }

    /** In the pool's order: neighbours in device memory become neighbours here, and are copied in one piece. */
    private void hold(List<Slot> slots) {
        slots.stream().sorted(Comparator.comparingInt(Slot::index)).forEach(free::add);
    }

    /** Takes from the front of the pieces as many as there are slots; batches of one GPU each. */
    private List<List<Filled>> withSlots(List<Piece> pieces, int size) {
        List<Piece> some = pieces.subList(0, Math.min(pieces.size(), free.size()));
        List<Filled> filled =
                some.stream().map(piece -> new Filled(piece, free.remove())).toList();
        some.clear();
        for (Filled one : filled) {
            ChunkRef ref = ref(one.piece());
            places.put(ref, DeviceContent.Chunk.inSlot(one.slot().index(), ref));
        }
        return Batches.byTurns(filled, one -> one.piece().gpuOrdinal(), size);
    }

    /** What no slot was left for goes through those of what was copied first, which is stored. */
    private void stream(List<Piece> pieces, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        if (kept.isEmpty()) {
            throw new TierException(Reason.NO_SPACE, "no slot of the pinned pool is free (memory.poolBytes)");
        }
        int batch = Math.clamp(kept.size() / 2, 1, BATCH);
        try (Crew<Filled, TierException> crew =
                new Crew<>("drain-store", transfer.threads(), TierException.class, () -> {
                    TreeDigester digester = new TreeDigester();
                    return filled -> store(filled, digester);
                })) {
            for (int i = 0; i < 2 * batch && !kept.isEmpty(); i++) {
                crew.submit(kept.remove());
            }
            while (!pieces.isEmpty()) {
                transfer.safePoint().run();
                while (free.size() < Math.min(batch, pieces.size())) {
                    crew.check();
                    Slot slot = free.poll(5, TimeUnit.MILLISECONDS);
                    if (slot != null) {
                        free.add(slot);
                    }
                }
                for (List<Filled> filled : withSlots(pieces, batch)) {
                    copy(filled, transfer);
                    filled.forEach(crew::submit);
                }
            }
            crew.finish();
        }
    }

    /** The store will have the only copy: it is compared with what the GPU saw before it counts. */
    private void store(Filled filled, TreeDigester digester) throws TierException {
        ChunkRef ref = ref(filled.piece());
        ChunkRef arrived = digester.digest(filled.slot().first(ref.sizeBytes()));
        if (!arrived.equals(ref)) {
            throw new TierException(
                    Reason.CORRUPT,
                    "device memory of digest %s arrived as %s".formatted(ref.digest(), arrived.digest()));
        }
        pins.store(ref, filled.slot().first(ref.sizeBytes()));
        places.put(ref, DeviceContent.Chunk.stored(ref));
        free.add(filled.slot());
    }

    private ChunkRef ref(Piece piece) {
        return Objects.requireNonNull(refs.get(piece));
    }

    private void copy(List<Filled> ofGpu, Transfer transfer) throws GpuException {
        gpu.copy(
                ofGpu.getFirst().piece().gpuOrdinal(),
                Direction.DEVICE_TO_HOST,
                ofGpu.stream()
                        .map(filled -> new CopyItem(
                                filled.piece().address(),
                                filled.slot().first(filled.piece().sizeBytes())))
                        .toList());
        ofGpu.forEach(filled -> transfer.progress().accept(filled.piece().sizeBytes()));
    }

    private DeviceContent content(List<Allocation> allocations, List<Piece> pieces) {
        Map<Allocation, List<DeviceContent.Chunk>> chunks = new LinkedHashMap<>();
        allocations.forEach(allocation -> chunks.put(allocation, new ArrayList<>()));
        for (Piece piece : pieces) {
            Objects.requireNonNull(chunks.get(piece.allocation())).add(Objects.requireNonNull(places.get(ref(piece))));
        }
        List<DeviceContent.Allocation> contents = new ArrayList<>();
        chunks.forEach((allocation, its) -> contents.add(new DeviceContent.Allocation(
                allocation.id(), allocation.address(), allocation.sizeBytes(), allocation.gpuOrdinal(), its)));
        return new DeviceContent(contents);
    }
}
