package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;

/** How much of a snapshot's distinct chunks the pinned pool has. */
public record Resident(SnapshotId snapshot, long bytes, long totalBytes) {}
