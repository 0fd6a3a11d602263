package io.gpusnap.node.engine;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.store.SnapshotId;
import java.util.Optional;

/**
 * Copy a snapshot into a tier. It removes nothing anywhere.
 *
 * @param manifestDigest the manifest that the caller means; empty: whichever is found
 * @param mostBytesPerSecond 0 for no bound
 * @param yields whether thaws go before it
 */
public record TransferRequest(
        OperationId operation,
        SnapshotId snapshot,
        Optional<String> manifestDigest,
        TierRef to,
        Optional<TierRef> from,
        long mostBytesPerSecond,
        boolean yields) {}
