package io.gpusnap.node.snapshot;

import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.StoreRoot;
import io.gpusnap.node.tier.TierException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/**
 * The folder {@code pending/}: manifests of saves and copies that are not committed yet. Who writes one has it in hand until it is
 * committed or given up. One that nobody has in hand was left by an operation whose undoing failed: it goes, or its chunks would be
 * named for ever. Thread-safe.
 */
final class PendingManifests {

    private final StoreRoot root;
    private final Set<Path> inHand = new HashSet<>();
    private Set<Path> marked = Set.of();

    PendingManifests(StoreRoot root) {
        this.root = root;
    }

    Path file(SnapshotId snapshot) {
        return root.pending().resolve(snapshot + ManifestFiles.SUFFIX);
    }

    /** To be called before it is written: from then on nobody else deletes it. */
    synchronized void take(Path file) {
        inHand.add(file);
    }

    synchronized void letGo(Path file) {
        inHand.remove(file);
    }

    /**
     * Deletes those that nobody had in hand at the call before and has now, read or not: one that is damaged would keep every other chunk
     * too. The others that nobody has in hand are next.
     *
     * @return whether any was deleted
     */
    synchronized boolean endAbandoned() throws TierException {
        boolean ended = false;
        for (Path file : marked) {
            if (!inHand.contains(file)) {
                root.files().delete(file);
                ended = true;
            }
        }
        Set<Path> abandoned = new HashSet<>(ManifestFiles.in(root.pending()));
        abandoned.removeAll(inHand);
        marked = abandoned;
        return ended;
    }
}
