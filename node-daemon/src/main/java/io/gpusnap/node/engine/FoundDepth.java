package io.gpusnap.node.engine;

/** Remembered before a suspended process is touched: how the driver had it, for putting it back to sleep the same way. */
record FoundDepth(SuspendDepth depth) {}
