package io.gpusnap.node.engine;

/**
 * Remembered when a workload has its memory again after it was dumped.
 *
 * @param movedBytes of device memory that crossed the bus for it; none of what was held
 */
record RefilledBytes(long movedBytes) {}
