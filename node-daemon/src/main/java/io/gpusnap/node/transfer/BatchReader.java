package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.ChunkTier.ReadFrom;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.pack.RunReader;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Reads batches. A chunk that a run does not bring, or brings wrong, is read by itself, from wherever it is right. One a thread. */
final class BatchReader {

    /** Where verified chunks go. */
    interface Target {

        /** Where a chunk is to be read to: of a whole chunk's size, page-aligned. */
        MemorySegment memory(ChunkRef chunk);

        /** It is there, and verified. */
        void arrived(ChunkRef chunk, MemorySegment content) throws TierException, InterruptedException;
    }

    private final ChunkSources sources;
    private final VerifiedReader single;
    private final Map<PackTier, RunReader> readers = new HashMap<>();

    BatchReader(ChunkSources sources) {
        this.sources = sources;
        this.single = new VerifiedReader(sources);
    }

    /** @throws TierException MISSING, CORRUPT, IO, UNAVAILABLE, and what the target throws */
    void read(Batch batch, Target target) throws TierException, InterruptedException {
        List<ChunkRef> left = new ArrayList<>(batch.chunks());
        if (batch.run().isPresent()) {
            left = readRun(batch.run().get(), left, target);
        }
        for (ChunkRef chunk : left) {
            MemorySegment memory = target.memory(chunk);
            single.read(chunk, memory, ReadFrom.ANYWHERE);
            target.arrived(chunk, memory.asSlice(0, chunk.sizeBytes()));
        }
    }

    private List<ChunkRef> readRun(Batch.Shared shared, List<ChunkRef> chunks, Target target)
            throws TierException, InterruptedException {
        List<ChunkRef> left = new ArrayList<>(chunks);
        TierException[] ofTarget = {null};
        try {
            RunReader reader = readers.computeIfAbsent(shared.tier(), PackTier::runReader);
            List<ChunkRef> wrong = reader.read(shared.run(), (chunk, content) -> {
                MemorySegment memory = target.memory(chunk).asSlice(0, chunk.sizeBytes());
                memory.copyFrom(content);
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
                shared.tier().quarantine(new ChunkDigest(chunk.digest()));
            }
        } catch (TierException e) {
            if (e == ofTarget[0]) {
                throw e;
            }
            // The single reader tries again, and elsewhere, and says what is wrong in the end.
        }
        return left;
    }
}
