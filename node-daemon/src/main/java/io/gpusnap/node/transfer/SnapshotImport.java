package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.archive.Layer;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.SavePins;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/**
 * Brings the chunks of an archive into this node's store. Every byte of the archive is read and verified, also of chunks that the store
 * has; those are read from the medium as well, and where one is not right there any more, it is stored anew.
 */
public final class SnapshotImport {

    private final NvmeTier nvme;
    private final SavePins pins;

    /** @param pins keep what is brought from being swept until the manifest does */
    public SnapshotImport(NvmeTier nvme, SavePins pins) {
        this.nvme = nvme;
        this.pins = pins;
    }

    /**
     * All of it is durable when it returns, and what was stored was read back from the medium.
     *
     * @return what was stored
     * @throws TierException CORRUPT, MISSING: of the archive; NO_SPACE, IO
     */
    public List<ChunkRef> bring(Collection<Layer> layers, Transfer transfer, Traffic.Share share)
            throws TierException, InterruptedException {
        ConcurrentLinkedQueue<ChunkRef> brought = new ConcurrentLinkedQueue<>();
        try (Buffers buffers = new Buffers();
                GroupedProof proof = GroupedProof.of(nvme, GroupedProof.GROUP_BYTES, transfer)) {
            Crew.each("import", transfer.driveThreads(), TierException.class, layers, () -> {
                VerifiedReader own = new VerifiedReader(ChunkSources.only(nvme));
                MemorySegment buffer = Transfer.buffer(buffers);
                return layer -> layer.read((chunk, content) -> {
                    share.take(chunk.sizeBytes(), transfer.safePoint()::run);
                    if (!own.isHere(chunk, buffer)) {
                        pins.store(chunk, content);
                        brought.add(chunk);
                        proof.stored(chunk);
                    }
                    transfer.progress().accept(chunk.sizeBytes());
                });
            });
            proof.finish();
        }
        return List.copyOf(brought);
    }
}
