package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.PackRun;
import io.gpusnap.node.tier.pack.PackTier;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Chunks that are read at once.
 *
 * @param run where a shared store has them beside each other; empty for a single one, which is read from wherever it is
 */
record Batch(Optional<Shared> run, List<ChunkRef> chunks) {

    record Shared(PackTier tier, PackRun run) {}

    Batch {
        chunks = List.copyOf(chunks);
    }

    /**
     * What the node's own store has is read from there, chunk by chunk; of the rest as much as possible in runs.
     *
     * @param chunks each once, not zero
     */
    static List<Batch> of(ChunkSources sources, List<ChunkRef> chunks) {
        List<Batch> batches = new ArrayList<>();
        List<ChunkRef> away = new ArrayList<>();
        for (ChunkRef chunk : chunks) {
            if (sources.shared().isEmpty() || isHere(sources, chunk)) {
                batches.add(new Batch(Optional.empty(), List.of(chunk)));
            } else {
                away.add(chunk);
            }
        }
        for (PackTier tier : sources.shared()) {
            Set<ChunkRef> found = new HashSet<>();
            for (PackRun run : tier.runs(away)) {
                batches.add(new Batch(Optional.of(new Shared(tier, run)), run.chunks()));
                found.addAll(run.chunks());
            }
            away.removeAll(found);
        }
        away.forEach(chunk -> batches.add(new Batch(Optional.empty(), List.of(chunk))));
        batches.sort(Comparator.comparingInt(batch -> batch.order(sources)));
        return batches;
    }

    /**
     * Reads all of it, a batch at a time; where a shared store is read, no more at once than it is to have requests.
     *
     * @param chunks as in {@link #of}
     */
    static void each(
            String name,
            ChunkSources sources,
            List<ChunkRef> chunks,
            Transfer transfer,
            Supplier<Crew.Task<Batch, TierException>> tasks)
            throws TierException, InterruptedException {
        List<Batch> batches = of(sources, chunks);
        boolean away = batches.stream().anyMatch(batch -> batch.run().isPresent());
        int threads = away ? transfer.storeThreads() : transfer.driveThreads();
        Crew.each(name, threads, TierException.class, batches, tasks);
    }

    /** What is this node's own comes first, so that it is there when others ask for it. */
    private int order(ChunkSources sources) {
        return run.map(shared -> sources.nearby().order(shared.run().window())).orElse(0);
    }

    private static boolean isHere(ChunkSources sources, ChunkRef chunk) {
        try {
            return sources.nvme().contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes());
        } catch (TierException e) {
            return false; // whoever reads it finds out why
        }
    }
}
