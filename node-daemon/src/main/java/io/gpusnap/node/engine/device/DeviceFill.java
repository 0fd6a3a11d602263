package io.gpusnap.node.engine.device;

import io.gpusnap.gpu.CopyItem;
import io.gpusnap.gpu.DeviceDigest;
import io.gpusnap.gpu.GpuException;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.Slot;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.transfer.Crew;
import io.gpusnap.node.transfer.LoadedChunks;
import io.gpusnap.node.transfer.SlotReader;
import io.gpusnap.node.transfer.Transfer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;

/**
 * Fills fresh device memory: zeros by the device itself, what is in the pool at bus speed, and the rest read straight from its
 * files or into whatever slots are free. Behind all of it the GPU hashes what it now holds: a chunk that is not what it should
 * be is found before the gate opens.
 */
public final class DeviceFill {

    /** 256 MiB a copy call: the digests behind one call are taken while the next one copies. */
    private static final int BATCH = 64;
    /** Copy calls at once on a GPU: while one is hashed, the next is on the bus, and another is already on its way. */
    private static final int COPIERS = 3;
    /** Chunks a call out of slots that go round: several, because each call waits for its digests. */
    private static final int COLD_BATCH = 16;

    private final GpuPort gpu;
    private final MemoryTier memory;
    private final ChunkSources sources;
    private final UUID owner;
    private final LoadedChunks loaded;
    private final boolean direct;
    private final CallTime calls = new CallTime(System::nanoTime);

    /**
     * For one fill.
     *
     * @param loaded verified chunks in the pool; may be empty
     * @param direct whether other chunks are read straight into device memory
     */
    public DeviceFill(
            GpuPort gpu, MemoryTier memory, ChunkSources sources, UUID owner, LoadedChunks loaded, boolean direct) {
        this.gpu = gpu;
        this.memory = memory;
        this.sources = sources;
        this.owner = owner;
        this.loaded = loaded;
        this.direct = direct;
    }

    /**
     * Fills with what is loaded, and reads the rest.
     *
     * @param arrival of the fresh memory, of which the content is a part or all
     * @throws TierException also when the content's slots are no longer the owner's (MISSING), and when the device does not
     *     hold what it was given (CORRUPT)
     * @throws GpuException PROTOCOL when the allocations are not the content's
     */
    public FillOutcome fill(DeviceContent content, Arrival arrival, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        try (Running running = begin(content, arrival, transfer)) {
            return running.finish();
        }
    }

    /**
     * Begins to fill while chunks are still being loaded: a batch goes to the device as soon as all of its chunks are there. Nothing is
     * waited for here.
     *
     * @param arrival as for {@link #fill}
     * @throws TierException MISSING as there
     * @throws GpuException PROTOCOL as there
     */
    public Running begin(DeviceContent content, Arrival arrival, Transfer transfer) throws GpuException, TierException {
        FillPlan plan = FillPlan.of(content, arrival, memory, owner, loaded);
        Running running = new Running(plan, arrival, transfer);
        try {
            plan.each(BATCH, running::add);
            return running;
        } catch (Throwable e) {
            running.close();
            throw e;
        }
    }

    /** A fill that has begun. Closing ends it, whatever it does, and returns when no call of it is under way any more. */
    public final class Running implements AutoCloseable {

        /** A batch, for which its chunks' arrival and the end of all loading may call. */
        private record Part(List<FillPlan.Wanted> batch, AtomicBoolean submitted) {}

        private final Transfer transfer;
        private final Crew<List<FillPlan.Wanted>, GpuException> copiers;
        private final List<Part> parts = new ArrayList<>();
        private final LongAdder movedBytes = new LongAdder();
        private final Queue<FillPlan.Cold> cold = new ConcurrentLinkedQueue<>();
        private final Queue<FillPlan.Hot> wrong = new ConcurrentLinkedQueue<>();
        private final Queue<Piece> notZero = new ConcurrentLinkedQueue<>();

        private Running(FillPlan plan, Arrival arrival, Transfer transfer) {
            this.transfer = transfer;
            this.copiers = new Crew<>("fill", COPIERS * plan.gpus(), GpuException.class, () -> some -> {
                transfer.safePoint().run();
                FillPlan.Batch batch = plan.look(some);
                movedBytes.add(batch.movedBytes());
                cold.addAll(batch.cold());
                arrival.await(some.getLast().piece().allocation());
                notZero.addAll(fillZeros(batch.zeros(), transfer));
                wrong.addAll(copy(batch.hot(), transfer));
            });
        }

        private void add(List<FillPlan.Wanted> batch) {
            Part part = new Part(batch, new AtomicBoolean());
            parts.add(part);
            loaded.whenThere(FillPlan.digests(batch), () -> submit(part));
        }

        private void submit(Part part) {
            if (part.submitted().compareAndSet(false, true)) {
                copiers.submit(part.batch());
            }
        }

        /**
         * Once nothing is loaded any more: what is not in the pool by now is read. Takes slots of the pool for that, if there are any.
         *
         * @throws TierException as for {@link #fill}
         */
        public FillOutcome finish() throws GpuException, TierException, InterruptedException {
            parts.forEach(this::submit);
            copiers.finish();
            for (Piece piece : notZero) {
                throw unlike(piece, ChunkRef.zero(piece.sizeBytes()));
            }
            List<FillPlan.Cold> rest = List.copyOf(cold);
            fillCold(again(wrong, transfer), transfer);
            fillCold(direct ? direct(rest, transfer) : rest, transfer);
            return new FillOutcome(movedBytes.sum(), calls.seconds());
        }

        @Override
        public void close() {
            copiers.close();
        }
    }

    /** Answers with what has to come the ordinary way. */
    private List<FillPlan.Cold> direct(List<FillPlan.Cold> rest, Transfer transfer) throws InterruptedException {
        List<FillPlan.Cold> left = new DirectFill(gpu, sources.nvme(), calls).fill(rest, transfer);
        sources.read().add(ChunkSources.NVME, sizeBytes(rest) - sizeBytes(left));
        return left;
    }

    private static long sizeBytes(List<FillPlan.Cold> cold) {
        return cold.stream().mapToLong(one -> one.chunk().sizeBytes()).sum();
    }

    /** Once more as it is, for what went wrong on the way; answers with what is to come from the store, for what is wrong in the pool. */
    private List<FillPlan.Cold> again(Collection<FillPlan.Hot> wrong, Transfer transfer) throws GpuException {
        List<FillPlan.Cold> still = new ArrayList<>();
        for (List<FillPlan.Hot> batch :
                Batches.byTurns(List.copyOf(wrong), one -> one.piece().gpuOrdinal(), BATCH)) {
            for (FillPlan.Hot one : copy(batch, transfer)) {
                one.chunk().content().ifPresent(memory::delete);
                still.add(new FillPlan.Cold(one.piece(), one.chunk()));
            }
        }
        return still;
    }

    /** Answers with what is not zero then. */
    private List<Piece> fillZeros(List<Piece> pieces, Transfer transfer) throws GpuException {
        if (pieces.isEmpty()) {
            return List.of();
        }
        List<DeviceDigest> digests = calls.of(() -> zeroAndDigest(pieces));
        List<Piece> notZero = new ArrayList<>();
        for (int i = 0; i < pieces.size(); i++) {
            if (digests.get(i).zero()) {
                transfer.progress().accept(pieces.get(i).sizeBytes());
            } else {
                notZero.add(pieces.get(i));
            }
        }
        return notZero;
    }

    private List<DeviceDigest> zeroAndDigest(List<Piece> pieces) throws GpuException {
        int gpuOrdinal = pieces.getFirst().gpuOrdinal();
        for (int from = 0; from < pieces.size(); ) {
            int to = from + 1;
            while (to < pieces.size() && pieces.get(to).follows(pieces.get(to - 1))) {
                to++;
            }
            List<Piece> run = pieces.subList(from, to);
            gpu.fillZero(
                    gpuOrdinal,
                    run.getFirst().address(),
                    run.stream().mapToLong(Piece::sizeBytes).sum());
            from = to;
        }
        return gpu.digest(gpuOrdinal, pieces.stream().map(Piece::span).toList());
    }

    /** Answers with what the device does not hold then. */
    private List<FillPlan.Hot> copy(List<FillPlan.Hot> batch, Transfer transfer) throws GpuException {
        if (batch.isEmpty()) {
            return List.of();
        }
        List<CopyItem> items = batch.stream()
                .map(one -> new CopyItem(one.piece().address(), one.host()))
                .toList();
        int gpuOrdinal = batch.getFirst().piece().gpuOrdinal();
        List<DeviceDigest> digests = calls.of(() -> gpu.copyAndDigest(gpuOrdinal, items));
        List<FillPlan.Hot> wrong = new ArrayList<>();
        for (int i = 0; i < batch.size(); i++) {
            FillPlan.Hot one = batch.get(i);
            if (one.chunk().equals(DeviceDrain.ref(digests.get(i), one.piece().sizeBytes()))) {
                transfer.progress().accept(one.piece().sizeBytes());
            } else {
                wrong.add(one);
            }
        }
        return wrong;
    }

    private void fillCold(List<FillPlan.Cold> cold, Transfer transfer)
            throws GpuException, TierException, InterruptedException {
        if (cold.isEmpty()) {
            return;
        }
        List<Slot> slots = memory.claim(owner, Math.min(cold.size(), 2 * transfer.threads()));
        int batch = Math.clamp(slots.size() / 2, 1, COLD_BATCH);
        try (SlotReader reader = new SlotReader(sources, slots, transfer)) {
            for (FillPlan.Cold one : cold) {
                reader.request(one.chunk());
            }
            for (int from = 0; from < cold.size(); ) {
                transfer.safePoint().run();
                int gpuOrdinal = cold.get(from).piece().gpuOrdinal();
                List<SlotReader.Lent> lent = new ArrayList<>();
                List<FillPlan.Hot> read = new ArrayList<>();
                while (from < cold.size()
                        && read.size() < batch
                        && cold.get(from).piece().gpuOrdinal() == gpuOrdinal) {
                    SlotReader.Lent next = reader.next();
                    FillPlan.Cold one = cold.get(from++);
                    lent.add(next);
                    read.add(new FillPlan.Hot(one.piece(), one.chunk(), next.content()));
                }
                for (FillPlan.Hot wrong : copy(read, transfer)) {
                    throw unlike(wrong.piece(), wrong.chunk());
                }
                lent.forEach(reader::done);
            }
        } finally {
            slots.forEach(memory::free);
        }
    }

    private static TierException unlike(Piece piece, ChunkRef expected) {
        return new TierException(
                Reason.CORRUPT,
                "chunk %d of allocation %d does not hold %s after it was filled with that"
                        .formatted(piece.number(), piece.allocation().id(), expected.digest()));
    }
}
