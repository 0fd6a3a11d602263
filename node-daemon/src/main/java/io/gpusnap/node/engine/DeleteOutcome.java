package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;

/** @param freedBytes 0 also when the snapshot was gone already */
public record DeleteOutcome(SnapshotId snapshot, long freedBytes) {}
