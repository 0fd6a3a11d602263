package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.Traffic;
import java.util.Optional;

/**
 * Copy a snapshot into a tier. It removes nothing anywhere.
 *
 * @param manifestDigest the manifest that the caller means; empty: whichever is found
 * @param mostBytesPerSecond of all transfers of this node together; 0 for no bound
 */
public record TransferRequest(
        OperationId operation,
        SnapshotId snapshot,
        Optional<String> manifestDigest,
        TierRef to,
        Optional<TierRef> from,
        long mostBytesPerSecond,
        Traffic.Priority priority) {}
