package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.store.SnapshotId;

/**
 * Bring a snapshot out of an archive into this node's store.
 *
 * @param snapshot which one the archive must hold
 * @param manifestDigest of its manifest
 * @param path absolute
 */
public record ImportRequest(
        OperationId operation, SnapshotId snapshot, String manifestDigest, String path, long mostBytesPerSecond) {}
