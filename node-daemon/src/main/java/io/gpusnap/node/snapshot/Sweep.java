package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.tier.MemoryTier;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.TierException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.Lock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * Deletes chunks that nothing names, a few at a time: a save that looks for its chunks meanwhile, with its workload standing
 * still, waits for a few deletions and not for those of a whole snapshot. Several may run at once.
 */
final class Sweep {

    /** 128 MiB of chunks between two chances for a save. */
    private static final int STEP = 32;

    /** What manifests name. */
    interface Names {
        /**
         * @throws TierException CORRUPT when the medium does not give one of them: then nothing can be known to be unnamed; IO
         * @throws NewerManifestException when one is of a schema that is not known: the same
         */
        Set<ChunkDigest> read() throws TierException, NewerManifestException;
    }

    private final NvmeTier nvme;
    private final MemoryTier memory;
    private final Collection<SavePins> pins;
    private final Lock alone;
    private final Names names;
    private final LongSupplier manifestsWritten;

    /**
     * @param alone while it is held nobody pins, puts or commits
     * @param manifestsWritten counts them; a save writes its manifest, has it counted, and then lets go of its pins
     */
    Sweep(
            NvmeTier nvme,
            MemoryTier memory,
            Collection<SavePins> pins,
            Lock alone,
            Names names,
            LongSupplier manifestsWritten) {
        this.nvme = nvme;
        this.memory = memory;
        this.pins = pins;
        this.alone = alone;
        this.names = names;
        this.manifestsWritten = manifestsWritten;
    }

    /**
     * @return bytes that became free in the NVMe tier
     * @throws NewerManifestException when a manifest is of a schema that is not known: then nothing can be known to be unnamed
     */
    long run(Collection<ChunkDigest> candidates) throws TierException, NewerManifestException {
        return run(candidates, () -> true);
    }

    /** @param goesOn asked before each step; false ends it where it is */
    long run(Collection<ChunkDigest> candidates, BooleanSupplier goesOn) throws TierException, NewerManifestException {
        List<ChunkDigest> left = new ArrayList<>(candidates);
        long freedBytes = 0;
        while (!left.isEmpty() && goesOn.getAsBoolean()) {
            long written = manifestsWritten.getAsLong();
            left.removeIf(names.read()::contains);
            while (!left.isEmpty() && goesOn.getAsBoolean()) {
                List<ChunkDigest> few = left.subList(Math.max(0, left.size() - STEP), left.size());
                long freed = delete(few, written);
                if (freed < 0) {
                    break;
                }
                freedBytes += freed;
                few.clear();
            }
        }
        return freedBytes;
    }

    /** What of these nobody names or has pinned at this moment; a save may begin to count on it in the next one. */
    Set<ChunkDigest> unnamed(Collection<ChunkDigest> chunks) throws TierException, NewerManifestException {
        Set<ChunkDigest> unnamed = new HashSet<>(chunks);
        unnamed.removeIf(this::isPinned);
        unnamed.removeAll(names.read());
        return unnamed;
    }

    /** Negative, with nothing deleted, when a manifest came since the names were read. */
    private long delete(List<ChunkDigest> few, long written) throws TierException {
        alone.lock();
        try {
            // Pins first: who has let go of one since has had his manifest counted before.
            List<ChunkDigest> unnamed =
                    few.stream().filter(chunk -> !isPinned(chunk)).toList();
            if (manifestsWritten.getAsLong() != written) {
                return -1;
            }
            long before = nvme.usage().usedBytes();
            for (ChunkDigest chunk : unnamed) {
                memory.delete(chunk);
                nvme.delete(chunk);
            }
            return Math.max(0, before - nvme.usage().usedBytes());
        } finally {
            alone.unlock();
        }
    }

    private boolean isPinned(ChunkDigest chunk) {
        return pins.stream().anyMatch(save -> save.pinned().contains(chunk));
    }
}
