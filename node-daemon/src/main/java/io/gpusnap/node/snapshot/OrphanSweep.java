package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.ChunkDigest;
import io.gpusnap.node.store.NewerManifestException;
import io.gpusnap.node.tier.NvmeTier;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;

/**
 * Frees a node's own store of chunks that nothing names: those of a save or copy whose daemon died before there was a manifest, or
 * whose undoing failed, with the manifest that it left pending. What one look finds unnamed is only marked. The next one deletes what of
 * it nobody names or has pinned then, so a copy that is tried again in between finds what was brought before. To be called only once
 * everything that an earlier daemon left has ended: what that counts on is named only while it runs.
 */
public final class OrphanSweep {

    /**
     * What was found and done in this daemon's life.
     *
     * @param markedChunks found unnamed by the last look, and not deleted yet
     * @param freedBytes of chunks that were deleted
     * @param looks that came to their end
     * @param failedLooks that did not: a manifest or the store could not be read
     */
    public record Counts(long markedChunks, long freedBytes, long looks, long failedLooks) {}

    private final StoreRoot root;
    private final NvmeTier nvme;
    private final PendingManifests pending;
    private final Sweep sweep;
    private Set<ChunkDigest> marked = Set.of();
    /** Of deletions that were cut off: their chunks were among the marked ones. */
    private List<Path> ending = List.of();

    private volatile Counts counts = new Counts(0, 0, 0, 0);

    OrphanSweep(StoreRoot root, NvmeTier nvme, PendingManifests pending, Sweep sweep) {
        this.root = root;
        this.nvme = nvme;
        this.pending = pending;
        this.sweep = sweep;
    }

    /**
     * Deletes what the look before this one marked, and marks anew.
     *
     * @param goesOn asked every few deletions; false ends the look where it is
     * @return bytes that became free
     * @throws NewerManifestException when a manifest is of a schema that is not known: then nothing can be known to be unnamed
     */
    public synchronized long look(BooleanSupplier goesOn) throws TierException, NewerManifestException {
        long freedBytes = 0;
        boolean ended = false;
        try {
            // Before names are read: one of these that is damaged keeps them from being read.
            if (pending.endAbandoned()) {
                nvme.sync();
            }
            freedBytes = sweep.run(marked, goesOn);
            if (goesOn.getAsBoolean()) {
                endDeletions();
                // Listed before the chunks: those of a deletion that is listed are among what is marked.
                List<Path> cutOff = ManifestFiles.in(root.deleted());
                marked = sweep.unnamed(nvme.list());
                ending = cutOff;
            }
            ended = true;
        } finally {
            Counts before = counts;
            counts = new Counts(
                    marked.size(),
                    before.freedBytes + freedBytes,
                    before.looks + (ended ? 1 : 0),
                    before.failedLooks + (ended ? 0 : 1));
        }
        return freedBytes;
    }

    private void endDeletions() throws TierException {
        for (Path ended : ending) {
            root.files().delete(ended);
        }
        if (!ending.isEmpty()) {
            nvme.sync();
        }
    }

    public Counts counts() {
        return counts;
    }
}
