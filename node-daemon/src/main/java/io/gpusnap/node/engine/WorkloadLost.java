package io.gpusnap.node.engine;

/** Remembered when an operation ended the workload or found it ended: it does not come back by itself. */
public record WorkloadLost(String reason) {}
