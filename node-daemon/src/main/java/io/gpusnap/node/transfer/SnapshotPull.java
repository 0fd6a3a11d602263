package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
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
    private final long groupBytes;

    /** @param pins keep what is brought from being swept until the manifest does */
    public SnapshotPull(SnapshotStore store, ChunkSources sources, SavePins pins) {
        this(store, sources, pins, GroupedProof.GROUP_BYTES);
    }

    /** @param groupBytes so many are made durable, and proven, together */
    SnapshotPull(SnapshotStore store, ChunkSources sources, SavePins pins, long groupBytes) {
        this.store = store;
        this.sources = sources;
        this.pins = pins;
        this.groupBytes = groupBytes;
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
     * was durable. They are in quarantine now, and the others durable.
     */
    public List<ChunkRef> damaged(List<ChunkRef> unproven, Transfer transfer)
            throws TierException, InterruptedException {
        ChunkVerifier.settle(unproven, store.nvme());
        ConcurrentLinkedQueue<ChunkRef> damaged = new ConcurrentLinkedQueue<>();
        try (Buffers buffers = new Buffers()) {
            Crew.each("prove", transfer.driveThreads(), TierException.class, unproven, () -> {
                VerifiedReader own = new VerifiedReader(ChunkSources.only(store.nvme()));
                MemorySegment buffer = Transfer.buffer(buffers);
                return chunk -> {
                    transfer.safePoint().run();
                    if (!own.isHere(chunk, buffer)) {
                        damaged.add(chunk);
                    }
                    transfer.progress().accept(chunk.sizeBytes());
                };
            });
        }
        return List.copyOf(damaged);
    }

    /**
     * Brings them: durable, and read back from the medium, when it returns.
     *
     * @throws TierException MISSING, CORRUPT, UNAVAILABLE: of the stores; MISSING, CORRUPT: of what was brought; NO_SPACE, IO
     */
    public void bring(List<ChunkRef> lacking, Transfer transfer, Traffic.Share share)
            throws TierException, InterruptedException {
        try (Buffers buffers = new Buffers();
                GroupedProof proof = GroupedProof.of(store.nvme(), groupBytes, transfer)) {
            Batch.each("pull", sources, lacking, transfer, () -> {
                BatchReader reader = new BatchReader(sources, buffers);
                Nearby.Target target = Nearby.Target.at(Transfer.buffer(buffers), (chunk, content) -> {
                    pins.store(chunk, content);
                    transfer.progress().accept(chunk.sizeBytes());
                    proof.stored(chunk);
                });
                return batch -> {
                    share.take(
                            batch.chunks().stream()
                                    .mapToLong(ChunkRef::sizeBytes)
                                    .sum(),
                            transfer.safePoint()::run);
                    reader.read(batch, target);
                };
            });
            proof.finish();
        }
    }
}
