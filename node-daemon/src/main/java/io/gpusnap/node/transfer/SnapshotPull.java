package io.gpusnap.node.transfer;

import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Copies a snapshot's chunks from shared stores into this node's own: those that it lacks, each verified, and read back. */
public final class SnapshotPull {

    private final SnapshotStore store;
    private final ChunkSources sources;
    private final SavePins pins;

    /** @param pins keep what is brought from being swept until the manifest does */
    public SnapshotPull(SnapshotStore store, ChunkSources sources, SavePins pins) {
        this.store = store;
        this.sources = sources;
        this.pins = pins;
    }

    /** Those that this node lacks. */
    public List<ChunkRef> lacking(Collection<ChunkRef> chunks) throws TierException {
        List<ChunkRef> lacking = new ArrayList<>();
        for (ChunkRef chunk : ChunkVerifier.distinct(chunks)) {
            if (!store.nvme().contains(new ChunkDigest(chunk.digest()), chunk.sizeBytes())) {
                lacking.add(chunk);
            }
        }
        return lacking;
    }

    /**
     * Of chunks that are here without a proof, those that are not right: what a machine leaves that stops before what it wrote
     * was durable. They are in quarantine now.
     */
    public List<ChunkRef> damaged(List<ChunkRef> unproven, Transfer transfer)
            throws TierException, InterruptedException {
        ConcurrentLinkedQueue<ChunkRef> damaged = new ConcurrentLinkedQueue<>();
        Crew.each("prove", transfer.driveThreads(), TierException.class, unproven, () -> {
            VerifiedReader own = new VerifiedReader(ChunkSources.only(store.nvme()));
            MemorySegment buffer = Transfer.buffer();
            return chunk -> {
                transfer.safePoint().run();
                if (!own.isHere(chunk, buffer)) {
                    damaged.add(chunk);
                }
                transfer.progress().accept(chunk.sizeBytes());
            };
        });
        return List.copyOf(damaged);
    }

    /** Brings them; durable when it returns. */
    public void bring(List<ChunkRef> lacking, Transfer transfer, Traffic.Share share)
            throws TierException, InterruptedException {
        Crew.each("pull", transfer.driveThreads(), TierException.class, Batch.of(sources, lacking), () -> {
            BatchReader reader = new BatchReader(sources);
            MemorySegment buffer = Transfer.buffer();
            Nearby.Target target = new Nearby.Target() {
                @Override
                public MemorySegment memory(ChunkRef chunk) {
                    return buffer;
                }

                @Override
                public void arrived(ChunkRef chunk, MemorySegment content) throws TierException {
                    pins.store(chunk, content);
                    transfer.progress().accept(chunk.sizeBytes());
                }
            };
            return batch -> {
                share.take(
                        batch.chunks().stream().mapToLong(ChunkRef::sizeBytes).sum(), transfer.safePoint());
                reader.read(batch, target);
            };
        });
        store.nvme().sync();
    }

    /** Reads from the medium what was brought. */
    public void prove(List<ChunkRef> brought, Transfer transfer) throws TierException, InterruptedException {
        ChunkVerifier.verify(brought, store.nvme(), transfer);
    }
}
