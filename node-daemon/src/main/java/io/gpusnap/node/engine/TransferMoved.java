package io.gpusnap.node.engine;

import org.jspecify.annotations.Nullable;

/**
 * What the copying stage of a transfer has done, over all of its runs.
 *
 * @param copyBytes what all chunks of the copy take in the tier, those that were there before too; null where that is not told. A part of
 *     this record, not one of its own: an older daemon passes over it, and could not read a journal with a record that it does not know
 */
record TransferMoved(
        long movedBytes, long storedBytes, @Nullable Long copyBytes) {

    static TransferMoved none() {
        return new TransferMoved(0, 0, null);
    }

    TransferMoved plus(long moved, long stored) {
        return new TransferMoved(movedBytes + moved, storedBytes + stored, copyBytes);
    }

    TransferMoved withCopyBytes(@Nullable Long bytes) {
        return new TransferMoved(movedBytes, storedBytes, bytes);
    }
}
