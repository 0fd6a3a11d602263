package io.gpusnap.node.engine;

/**
 * Remembered by the drain of a save.
 *
 * @param movedBytes of device memory that crossed the bus; the rest was zero, repeated, in the pool already, or left out
 * @param rebuildableBytes left out because the application can rebuild them
 */
record DrainedBytes(long movedBytes, long rebuildableBytes) {}
