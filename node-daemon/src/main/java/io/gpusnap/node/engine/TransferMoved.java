package io.gpusnap.node.engine;

/** What the copying stage of a transfer has done, over all of its runs. */
record TransferMoved(long movedBytes, long storedBytes) {

    TransferMoved plus(long moved, long stored) {
        return new TransferMoved(movedBytes + moved, storedBytes + stored);
    }
}
