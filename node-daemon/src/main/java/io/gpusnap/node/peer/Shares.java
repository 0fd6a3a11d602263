package io.gpusnap.node.peer;

import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.time.Duration;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Of which snapshots this node gives chunks away, and which chunks those are. Thread-safe. */
final class Shares {

    /** How long a snapshot is waited for that this node is about to bring back, as the asking node has heard. */
    private static final Duration WAIT = Duration.ofSeconds(2);
    /** Of snapshots that nobody brings back any more. */
    private static final int MOST_QUIET = 16;

    /** @param gathering present while this node brings it back */
    record Share(String manifestDigest, Set<ChunkRef> chunks, Optional<Gathering> gathering) {

        Share {
            chunks = Set.copyOf(chunks);
        }
    }

    private final SnapshotStore store;
    private final Map<SnapshotId, Share> shares = new LinkedHashMap<>();

    Shares(SnapshotStore store) {
        this.store = store;
    }

    synchronized void open(SnapshotId snapshot, Share share) {
        shares.put(snapshot, share);
        notifyAll();
    }

    /** What it has brought may still be in memory. */
    synchronized void quiet(SnapshotId snapshot, Gathering ended) {
        Share share = shares.get(snapshot);
        if (share != null && share.gathering().equals(Optional.of(ended))) {
            keep(snapshot, new Share(share.manifestDigest(), share.chunks(), Optional.empty()));
        }
    }

    private void keep(SnapshotId snapshot, Share quiet) {
        shares.remove(snapshot);
        shares.put(snapshot, quiet);
        long surplus = shares.values().stream()
                        .filter(one -> one.gathering().isEmpty())
                        .count()
                - MOST_QUIET;
        for (Iterator<Share> each = shares.values().iterator(); each.hasNext() && surplus > 0; ) {
            if (each.next().gathering().isEmpty()) {
                each.remove();
                surplus--;
            }
        }
    }

    /** @param manifestDigest another manifest is another snapshot */
    Optional<Share> find(SnapshotId snapshot, String manifestDigest) throws InterruptedException {
        Optional<Share> known = known(snapshot);
        if (known.isEmpty()) {
            known = stored(snapshot);
        }
        if (known.isEmpty()) {
            known = await(snapshot);
        }
        return known.filter(share -> share.manifestDigest().equals(manifestDigest));
    }

    private synchronized Optional<Share> known(SnapshotId snapshot) {
        return Optional.ofNullable(shares.get(snapshot));
    }

    private synchronized Optional<Share> await(SnapshotId snapshot) throws InterruptedException {
        long end = System.nanoTime() + WAIT.toNanos();
        for (long left = WAIT.toMillis(); !shares.containsKey(snapshot) && left > 0; ) {
            wait(left);
            left = (end - System.nanoTime()) / 1_000_000;
        }
        return known(snapshot);
    }

    private Optional<Share> stored(SnapshotId snapshot) {
        try {
            ReadManifest read = store.read(snapshot);
            Share share = new Share(
                    read.digest(),
                    read.manifest().chunks().filter(chunk -> !chunk.isZero()).collect(Collectors.toSet()),
                    Optional.empty());
            synchronized (this) {
                if (!shares.containsKey(snapshot)) {
                    keep(snapshot, share);
                }
            }
            return Optional.of(share);
        } catch (TierException | ManifestException e) {
            return Optional.empty(); // not here, or not fit to be given away
        }
    }
}
