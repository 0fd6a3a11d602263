package io.gpusnap.node.engine;

/** Remembered at the driver's checkpoint: device memory that it gave back besides the managed allocations. */
record DriverMemory(long sizeBytes) {}
