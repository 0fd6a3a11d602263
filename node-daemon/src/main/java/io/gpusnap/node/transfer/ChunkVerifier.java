package io.gpusnap.node.transfer;

import io.gpusnap.gpu.Buffers;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.pack.PackRun;
import io.gpusnap.node.tier.pack.PackTier;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads chunks back from the durable tier and compares their digests. */
public final class ChunkVerifier {

    private static final Logger LOG = LoggerFactory.getLogger(ChunkVerifier.class);

    private ChunkVerifier() {}

    /**
     * @param chunks repeated and zero ones are looked at once or not at all
     * @throws TierException MISSING, CORRUPT, IO: of the first chunk that fails
     */
    public static void verify(Collection<ChunkRef> chunks, NvmeTier nvme, Transfer transfer)
            throws TierException, InterruptedException {
        try (Buffers buffers = new Buffers()) {
            Crew.each(
                    "verify",
                    transfer.driveThreads(),
                    TierException.class,
                    distinct(chunks),
                    () -> one(nvme, transfer, buffers));
        }
    }

    /** Verifies chunks one by one, for one thread. */
    static Crew.Task<ChunkRef, TierException> one(NvmeTier nvme, Transfer transfer, Buffers buffers) {
        VerifiedReader reader = new VerifiedReader(ChunkSources.only(nvme));
        MemorySegment buffer = Transfer.buffer(buffers);
        return chunk -> {
            transfer.safePoint().run();
            reader.read(chunk, buffer);
            transfer.progress().accept(chunk.sizeBytes());
        };
    }

    /**
     * Those that are here and that no committed snapshot names: nobody has read them back from the medium yet, or what did so did
     * not come to its end.
     *
     * @param lacking of them, those that are not here
     */
    public static List<ChunkRef> unproven(
            Collection<ChunkRef> chunks, Collection<ChunkRef> lacking, SnapshotStore store) throws TierException {
        Set<ChunkDigest> proven = store.committedChunks();
        Set<ChunkRef> absent = Set.copyOf(lacking);
        return distinct(chunks).stream()
                .filter(chunk -> !absent.contains(chunk) && !proven.contains(new ChunkDigest(chunk.digest())))
                .toList();
    }

    /**
     * Makes durable chunks that are here without a proof, as what a daemon leaves that ends before its sync: reading it is a proof from then
     * on.
     */
    public static void settle(Collection<ChunkRef> unproven, NvmeTier nvme) throws TierException {
        for (ChunkRef chunk : unproven) {
            nvme.renew(new ChunkDigest(chunk.digest()));
        }
        nvme.sync();
    }

    /** The chunks that have content of their own. */
    public static List<ChunkRef> distinct(Collection<ChunkRef> chunks) {
        return chunks.stream().filter(chunk -> !chunk.isZero()).distinct().toList();
    }

    /** What the chunks take in the node's own store; empty when that cannot be told, for it is a number that nothing may fail for. */
    public static Optional<Long> storedBytes(Collection<ChunkRef> chunks, NvmeTier nvme) {
        return told(() -> {
            long bytes = 0;
            for (ChunkRef chunk : distinct(chunks)) {
                bytes += nvme.storedBytes(new ChunkDigest(chunk.digest()));
            }
            return bytes;
        });
    }

    /** The same of a shared store, as far as this node knows of them. */
    public static Optional<Long> storedBytes(Collection<ChunkRef> chunks, PackTier shared) {
        return told(() -> shared.find(distinct(chunks)).stream()
                .mapToLong(PackRun::frameBytes)
                .sum());
    }

    private interface Measure {
        long bytes() throws TierException;
    }

    private static Optional<Long> told(Measure measure) {
        try {
            return Optional.of(measure.bytes());
        } catch (TierException e) {
            LOG.warn("what a copy takes cannot be told: {}", e.getMessage());
            return Optional.empty();
        }
    }

    public static long distinctBytes(Collection<ChunkRef> chunks) {
        return distinct(chunks).stream().mapToLong(ChunkRef::sizeBytes).sum();
    }
}
