package io.gpusnap.node.engine;

/**
 * Remembered by the drain of a save.
 *
 * @param bytes of device memory that crossed the bus; the rest was zero, repeated, or in the pool already
 */
record DrainedBytes(long bytes) {}
