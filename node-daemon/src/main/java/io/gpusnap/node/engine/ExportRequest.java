package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.store.SnapshotId;

/**
 * Write a snapshot as an archive.
 *
 * @param path absolute; a tar when it ends in {@code .tar}, else a folder; nothing may be there yet
 * @param plain not encrypted, also where the node has a key
 */
public record ExportRequest(
        OperationId operation, SnapshotId snapshot, String path, boolean plain, long mostBytesPerSecond) {}
