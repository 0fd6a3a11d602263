package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.ManifestJson;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import io.gpusnap.node.tier.TierException.Reason;
import java.util.Optional;

/** Reads manifests for the stages. */
final class Snapshots {

    private Snapshots() {}

    /** @param expected the digest that the caller remembers; another one is refused */
    static Manifest read(SnapshotStore store, SnapshotId snapshot, Optional<String> expected)
            throws StageException, TierException, ManifestException {
        return read(store, snapshot, expected, store.sources());
    }

    /** @param from in the order in which shared stores are asked */
    static Manifest read(SnapshotStore store, SnapshotId snapshot, Optional<String> expected, ChunkSources from)
            throws StageException, TierException, ManifestException {
        return checked(find(store, snapshot, expected, from), snapshot, expected);
    }

    /** Believes bytes only as far as they are what they should be. */
    static Manifest parse(byte[] bytes, SnapshotId snapshot, Optional<String> expected)
            throws StageException, ManifestException {
        return checked(
                new ReadManifest(
                        ManifestJson.read(bytes), ManifestDigest.of(bytes).hex()),
                snapshot,
                expected);
    }

    private static Manifest checked(ReadManifest read, SnapshotId snapshot, Optional<String> expected)
            throws StageException, ManifestException {
        if (expected.isPresent() && !expected.get().equals(read.digest())) {
            throw new StageException(
                    FailureCode.MANIFEST_INVALID,
                    "the manifest of snapshot %s in this store has digest %s, not %s"
                            .formatted(snapshot, read.digest(), expected.get()));
        }
        if (!read.manifest().snapshotId().equals(snapshot)) {
            throw new ManifestException("the manifest of snapshot %s is one of snapshot %s"
                    .formatted(snapshot, read.manifest().snapshotId()));
        }
        return read.manifest();
    }

    /**
     * Of this node's store, where it was parsed before; else of a shared one. A damaged one of this store is told of.
     *
     * @param expected as above: one of another digest in a shared store is passed over
     */
    static ReadManifest find(SnapshotStore store, SnapshotId snapshot, Optional<String> expected)
            throws TierException, ManifestException {
        return find(store, snapshot, expected, store.sources());
    }

    private static ReadManifest find(
            SnapshotStore store, SnapshotId snapshot, Optional<String> expected, ChunkSources from)
            throws TierException, ManifestException {
        try {
            return store.read(snapshot);
        } catch (TierException e) {
            if (e.reason() != Reason.MISSING && e.reason() != Reason.CORRUPT) {
                throw e;
            }
        }
        byte[] bytes = bytes(store, snapshot, expected, from);
        return new ReadManifest(
                ManifestJson.read(bytes), ManifestDigest.of(bytes).hex());
    }

    /**
     * The exact bytes, also from a shared store.
     *
     * @param from in the order in which shared stores are asked
     * @param expected as above: one of another digest in a shared store is passed over
     */
    static byte[] bytes(SnapshotStore store, SnapshotId snapshot, Optional<String> expected, ChunkSources from)
            throws TierException {
        return store.anyManifest(
                snapshot,
                from,
                found -> expected.isEmpty()
                        || expected.get().equals(ManifestDigest.of(found).hex()));
    }

    /** Whichever manifest of the snapshot there is, also in a shared store. */
    static Manifest manifest(SnapshotStore store, SnapshotId snapshot) throws TierException, ManifestException {
        return find(store, snapshot, Optional.empty()).manifest();
    }

    /** Whether the store has a snapshot of a workload of this name. One that cannot be read is none. */
    static boolean anyOf(SnapshotStore store, String workload) throws TierException {
        for (SnapshotId snapshot : store.list()) {
            try {
                if (store.read(snapshot).manifest().process().workload().equals(workload)) {
                    return true;
                }
            } catch (ManifestException e) {
                continue;
            } catch (TierException e) {
                if (e.reason() != Reason.CORRUPT) {
                    throw e;
                }
            }
        }
        return false;
    }
}
