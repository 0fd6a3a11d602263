package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;

/** Left by a verification that succeeded. Repeated and zero chunks are not counted. */
public record VerifyOutcome(SnapshotId snapshot, String manifestDigest, long chunks, long sizeBytes) {}
