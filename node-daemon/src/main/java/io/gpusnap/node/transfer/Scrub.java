package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackRun;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.RunReader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;

/** Reads chunks of one tier, and of no other, and compares their digests. One thread: it is in nobody's way. */
public final class Scrub {

    private final NvmeTier nvme;
    private final Optional<PackTier> shared;
    private final Transfer transfer;
    private final Traffic.Share share;
    private long readBytes;

    /** @param shared empty: the node's own store is read */
    public Scrub(NvmeTier nvme, Optional<PackTier> shared, Transfer transfer, Traffic.Share share) {
        this.nvme = nvme;
        this.shared = shared;
        this.transfer = transfer;
        this.share = share;
    }

    public long readBytes() {
        return readBytes;
    }

    /** As {@link #read(List, BooleanSupplier)}, to the end. */
    public void read(List<ChunkRef> chunks) throws TierException, InterruptedException {
        read(chunks, () -> false);
    }

    /**
     * Reads all of them, also when one is wrong: each that is wrong is put in quarantine, so that it is brought again.
     *
     * @param chunks each once, not zero
     * @param givesWay asked before each piece of work, and while it waits for its turn: whether to let go of what is left
     * @throws TierException MISSING, CORRUPT (also what cannot be read in a store that answers), NO_KEY: of the first that is; IO,
     *     UNAVAILABLE of the store at once; IN_USE when it gave way
     */
    public void read(List<ChunkRef> chunks, BooleanSupplier givesWay) throws TierException, InterruptedException {
        Optional<TierException> first;
        try (Buffers buffers = new Buffers()) {
            first = shared.isPresent()
                    ? readShared(shared.get(), chunks, buffers, givesWay)
                    : readOwn(chunks, Transfer.buffer(buffers), givesWay);
        }
        if (first.isPresent()) {
            throw first.get();
        }
    }

    private Optional<TierException> readOwn(List<ChunkRef> chunks, MemorySegment buffer, BooleanSupplier givesWay)
            throws TierException, InterruptedException {
        VerifiedReader reader = new VerifiedReader(ChunkSources.only(nvme));
        Optional<TierException> first = Optional.empty();
        for (ChunkRef chunk : chunks) {
            take(chunk.sizeBytes(), givesWay);
            try {
                reader.read(chunk, buffer);
            } catch (TierException e) {
                if (e.reason() != Reason.MISSING && e.reason() != Reason.CORRUPT) {
                    throw e;
                }
                first = first.or(() -> Optional.of(e));
            }
            count(chunk.sizeBytes());
        }
        return first;
    }

    /** Where a pack is gone, its chunks are looked for in the others: only what is nowhere is missing. */
    private Optional<TierException> readShared(
            PackTier tier, List<ChunkRef> chunks, Buffers buffers, BooleanSupplier givesWay)
            throws TierException, InterruptedException {
        RunReader reader = tier.runReader(buffers);
        Set<ChunkRef> left = new LinkedHashSet<>(chunks);
        Optional<TierException> first = Optional.empty();
        List<PackRun> runs = tier.runs(left);
        if (runs.stream().mapToInt(run -> run.entries().size()).sum() < left.size()) {
            runs = lookedAgain(tier, left);
        }
        while (!runs.isEmpty()) {
            for (PackRun run : runs) {
                take(run.sizeBytes(), givesWay);
                Optional<List<ChunkRef>> wrong = wrong(tier, reader, run);
                if (wrong.isPresent()) {
                    run.chunks().forEach(left::remove);
                    count(run.sizeBytes());
                    tier.quarantine(run, wrong.get());
                    first = first.or(() -> wrong.get().stream().findFirst().map(chunk -> corrupt(chunk, tier)));
                }
            }
            runs = left.isEmpty() ? List.of() : lookedAgain(tier, left);
        }
        return first.or(() -> worst(tier, left));
    }

    /** What is nowhere says more of the copy than what only others can open. */
    private static Optional<TierException> worst(PackTier tier, Set<ChunkRef> left) {
        return left.stream()
                .map(chunk -> tier.notThere(new ChunkDigest(chunk.digest())))
                .min(Comparator.comparing(why -> why.reason() != Reason.MISSING));
    }

    private static List<PackRun> lookedAgain(PackTier tier, Set<ChunkRef> chunks) throws TierException {
        tier.refresh();
        return tier.runs(chunks);
    }

    /** What is done about a stretch whose medium gives an error. */
    private interface OnError {
        Optional<List<ChunkRef>> wrong(TierException error) throws TierException, InterruptedException;
    }

    /** Empty where the pack is gone: that is known from now on. One of another size has none of its chunks. */
    private static Optional<List<ChunkRef>> wrong(PackTier tier, RunReader reader, PackRun run)
            throws TierException, InterruptedException {
        return wrong(tier, reader, run, error -> wrongSingly(tier, reader, run));
    }

    /** A bad place of the medium hides what lies around it: each chunk is read by itself. */
    private static Optional<List<ChunkRef>> wrongSingly(PackTier tier, RunReader reader, PackRun run)
            throws TierException, InterruptedException {
        List<ChunkRef> all = new ArrayList<>();
        for (PackRun one : run.singly()) {
            Optional<List<ChunkRef>> wrong = wrong(tier, reader, one, error -> {
                if (!tier.isDamage(error)) {
                    throw error;
                }
                return Optional.of(one.chunks());
            });
            if (wrong.isEmpty()) {
                return wrong;
            }
            all.addAll(wrong.get());
        }
        return Optional.of(all);
    }

    private static Optional<List<ChunkRef>> wrong(PackTier tier, RunReader reader, PackRun run, OnError onError)
            throws TierException, InterruptedException {
        try {
            return Optional.of(reader.read(run, (chunk, content) -> {}));
        } catch (TierException e) {
            return switch (e.reason()) {
                case MISSING -> {
                    tier.gone(run);
                    yield Optional.empty();
                }
                case CORRUPT -> Optional.of(run.chunks());
                case IO -> onError.wrong(e);
                case NO_KEY, UNTRUSTED, NO_SPACE, UNAVAILABLE, IN_USE, PREEMPTED -> throw e;
            };
        }
    }

    private static TierException corrupt(ChunkRef chunk, PackTier tier) {
        return new TierException(
                Reason.CORRUPT,
                "chunk %s in %s is not what its name says, or cannot be read"
                        .formatted(chunk.digest(), tier.store().location()));
    }

    /** Also while it stands still: who waits for it to let go does not wait for what it waits for. */
    private void take(long bytes, BooleanSupplier givesWay) throws TierException, InterruptedException {
        share.take(bytes, () -> {
            transfer.safePoint().run();
            if (givesWay.getAsBoolean()) {
                throw new TierException(Reason.IN_USE, "it is being deleted");
            }
        });
    }

    private void count(long bytes) {
        readBytes += bytes;
        transfer.progress().accept(bytes);
    }
}
