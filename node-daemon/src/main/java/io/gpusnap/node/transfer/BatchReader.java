package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import io.gpusnap.node.tier.pack.PackRun;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.RunReader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads batches. What is nearby comes from there; a chunk that a run does not bring, or brings wrong, is read by itself, from
 * wherever it is right. One a thread.
 */
final class BatchReader {

    private final ChunkSources sources;
    private final Buffers buffers;
    private final VerifiedReader single;
    private final Map<PackTier, RunReader> readers = new HashMap<>();

    /** @param buffers outlive it */
    BatchReader(ChunkSources sources, Buffers buffers) {
        this.sources = sources;
        this.buffers = buffers;
        this.single = new VerifiedReader(sources);
    }

    /** @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE, and what the target throws */
    void read(Batch batch, Nearby.Target target) throws TierException, InterruptedException {
        if (batch.run().isEmpty()) {
            for (ChunkRef chunk : batch.chunks()) {
                MemorySegment memory = target.memory(chunk);
                single.read(chunk, memory);
                target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
            }
            return;
        }
        Batch.Shared shared = batch.run().get();
        try (Nearby.Turn turn =
                sources.nearby().turn(batch.chunks(), shared.run().window(), target)) {
            Nearby.Target telling = new Telling(turn, target);
            readStores(readElsewhere(shared.tier(), readRuns(shared, turn.left(), telling), telling), telling);
            readStores(turn.late(), target);
        }
    }

    /** Who waits for a chunk gets it first: the target may give its memory away. */
    private record Telling(Nearby.Turn turn, Nearby.Target target) implements Nearby.Target {

        @Override
        public MemorySegment memory(ChunkRef chunk) {
            return target.memory(chunk);
        }

        @Override
        public void arrived(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException {
            turn.read(chunk, content);
            target.arrived(chunk, content);
        }
    }

    private void readStores(List<ChunkRef> chunks, Nearby.Target target) throws TierException, InterruptedException {
        for (ChunkRef chunk : chunks) {
            MemorySegment memory = target.memory(chunk);
            single.readStores(chunk, memory);
            target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
        }
    }

    /** Answers with what the runs did not bring. */
    private List<ChunkRef> readRuns(Batch.Shared shared, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        if (chunks.size() == shared.run().entries().size()) {
            return readRun(shared, chunks, target);
        }
        return readRuns(shared.tier(), shared.tier().runs(chunks), chunks, target);
    }

    private List<ChunkRef> readRuns(PackTier tier, List<PackRun> runs, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        Set<ChunkRef> left = new LinkedHashSet<>(chunks);
        for (PackRun run : runs) {
            run.chunks().forEach(left::remove);
            left.addAll(readRun(new Batch.Shared(tier, run), run.chunks(), target));
        }
        return List.copyOf(left);
    }

    /** What one store did not bring another one may, with as few requests; a single chunk is asked for by itself anyway. */
    private List<ChunkRef> readElsewhere(PackTier failed, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        List<ChunkRef> left = chunks;
        for (PackTier tier : sources.shared()) {
            if (tier != failed && left.size() > 1) {
                left = readRuns(tier, known(tier, left), left, target);
            }
        }
        return left;
    }

    private static List<PackRun> known(PackTier tier, List<ChunkRef> chunks) {
        try {
            return tier.find(chunks);
        } catch (TierException e) {
            return List.of(); // the single reader finds out why
        }
    }

    private List<ChunkRef> readRun(Batch.Shared shared, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        List<ChunkRef> left = new ArrayList<>(chunks);
        TierException[] ofTarget = {null};
        try {
            RunReader reader = readers.computeIfAbsent(shared.tier(), tier -> tier.runReader(buffers));
            List<ChunkRef> wrong = reader.read(shared.run(), (chunk, content) -> {
                MemorySegment memory = target.memory(chunk).asSlice(0, chunk.sizeBytes());
                memory.copyFrom(content);
                sources.read().add(shared.tier().name(), chunk.sizeBytes());
                try {
                    target.arrived(chunk, memory);
                } catch (TierException e) {
                    ofTarget[0] = e;
                    throw e;
                }
                left.remove(chunk);
            });
            for (ChunkRef chunk : wrong) {
                sources.damage().found(shared.tier().name(), "chunk " + chunk.digest() + " has other content");
            }
            shared.tier().quarantine(shared.run(), wrong);
        } catch (TierException e) {
            if (e == ofTarget[0]) {
                throw e;
            }
            if (e.reason() == Reason.CORRUPT) {
                // The pack is of another size: none of its chunks is to be had there, whoever helps now.
                sources.damage().found(shared.tier().name(), String.valueOf(e.getMessage()));
                shared.tier().quarantine(shared.run(), shared.run().chunks());
            }
            // The single reader tries again, and elsewhere, and says what is wrong in the end.
        }
        return left;
    }
}
