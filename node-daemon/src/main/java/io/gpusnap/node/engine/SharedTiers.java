package io.gpusnap.node.engine;

import io.gpusnap.node.peer.PeerSettings;
import io.gpusnap.node.tier.blob.BlobStore;
import io.gpusnap.node.tier.nfs.NfsSettings;
import io.gpusnap.node.tier.nfs.NfsStore;
import io.gpusnap.node.tier.pack.PackSettings;
import io.gpusnap.node.tier.pack.PackTier;
import io.gpusnap.node.tier.s3.S3Settings;
import io.gpusnap.node.tier.s3.S3Store;
import io.gpusnap.node.transfer.Traffic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Stores that this node shares with others.
 *
 * @param mostBytesPerSecond of all copies between tiers together; 0 for no bound
 * @param mostStill how long a copy stands still for more urgent ones, in all, before it ends
 * @param peers how it deals with the others
 */
public record SharedTiers(
        Optional<Nfs> nfs,
        Optional<S3> s3,
        long mostBytesPerSecond,
        Duration mostStill,
        TierKeys keys,
        PeerSettings peers) {

    /** A node that deals with no other. */
    public SharedTiers(Optional<Nfs> nfs, Optional<S3> s3, long mostBytesPerSecond, TierKeys keys) {
        this(nfs, s3, mostBytesPerSecond, Traffic.MOST_STILL, keys, PeerSettings.none());
    }

    /** Chunks as they are. */
    public SharedTiers(Optional<Nfs> nfs, Optional<S3> s3, long mostBytesPerSecond) {
        this(nfs, s3, mostBytesPerSecond, TierKeys.none());
    }

    public record Nfs(PackSettings packs, NfsSettings store) {}

    public record S3(PackSettings packs, S3Settings store) {}

    public static SharedTiers none() {
        return new SharedTiers(Optional.empty(), Optional.empty(), 0);
    }

    /** The nearest first. Nothing is asked of them yet. */
    List<PackTier> open() {
        List<PackTier> tiers = new ArrayList<>();
        nfs.ifPresent(it -> tiers.add(tier(it.packs(), new NfsStore(it.store()))));
        s3.ifPresent(it -> tiers.add(tier(it.packs(), new S3Store(it.store()))));
        return tiers;
    }

    private PackTier tier(PackSettings packs, BlobStore store) {
        return new PackTier(packs, store, keys.of(store));
    }
}
