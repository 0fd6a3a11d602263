package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.TierException;
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
    private final VerifiedReader single;
    private final Map<PackTier, RunReader> readers = new HashMap<>();

    BatchReader(ChunkSources sources) {
        this.sources = sources;
        this.single = new VerifiedReader(sources);
    }

    /** @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE, and what the target throws */
    void read(Batch batch, Nearby.Target target) throws TierException, InterruptedException {
        if (batch.run().isEmpty()) {
            for (ChunkRef chunk : batch.chunks()) {
                MemorySegment memory = target.memory(chunk);
                single.read(chunk, memory, ReadFrom.ANYWHERE);
                target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
            }
            return;
        }
        Batch.Shared shared = batch.run().get();
        try (Nearby.Turn turn =
                sources.nearby().turn(batch.chunks(), shared.run().window(), target)) {
            Nearby.Target telling = new Telling(turn, target);
            readStores(readRuns(shared, turn.left(), telling), telling);
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
            single.readStores(chunk, memory, ReadFrom.ANYWHERE);
            target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
        }
    }

    /** Answers with what the runs did not bring. */
    private List<ChunkRef> readRuns(Batch.Shared shared, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        if (chunks.size() == shared.run().entries().size()) {
            return readRun(shared, chunks, target);
        }
        Set<ChunkRef> left = new LinkedHashSet<>(chunks);
        for (PackRun run : shared.tier().runs(chunks)) {
            run.chunks().forEach(left::remove);
            left.addAll(readRun(new Batch.Shared(shared.tier(), run), run.chunks(), target));
        }
        return List.copyOf(left);
    }

    private List<ChunkRef> readRun(Batch.Shared shared, List<ChunkRef> chunks, Nearby.Target target)
            throws TierException, InterruptedException {
        List<ChunkRef> left = new ArrayList<>(chunks);
        TierException[] ofTarget = {null};
        try {
            RunReader reader = readers.computeIfAbsent(shared.tier(), PackTier::runReader);
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
            // The single reader tries again, and elsewhere, and says what is wrong in the end.
        }
        return left;
    }
}
