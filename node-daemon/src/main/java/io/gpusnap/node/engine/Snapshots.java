package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import io.gpusnap.node.snapshot.ReadManifest;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.Manifest;
import io.gpusnap.node.store.ManifestException;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.tier.TierException;
import java.util.Optional;

/** Reads manifests for the stages. */
final class Snapshots {

    private Snapshots() {}

    /** @param expected the digest that the caller remembers; another one is refused */
    static Manifest read(SnapshotStore store, SnapshotId snapshot, Optional<String> expected)
            throws StageException, TierException, ManifestException {
        ReadManifest read = store.read(snapshot);
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

    /** Whether the store has a snapshot of a workload of this name. One that cannot be read is none. */
    static boolean anyOf(SnapshotStore store, String workload) throws TierException {
        for (SnapshotId snapshot : store.list()) {
            try {
                if (store.read(snapshot).manifest().process().workload().equals(workload)) {
                    return true;
                }
            } catch (ManifestException e) {
                continue;
            }
        }
        return false;
    }
}
