package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.Traffic;
import java.util.List;

/** Reads snapshots of a tier whole, no faster than told, and compares digests. */
public record ScrubRequest(TierRef tier, List<Subject> snapshots, long mostBytesPerSecond, Traffic.Priority priority) {

    public record Subject(SnapshotId snapshot, String manifestDigest) {}

    public ScrubRequest {
        snapshots = List.copyOf(snapshots);
    }
}
