package io.gpusnap.node.engine;

/** @param uptimeNanos by the monotonic clock */
record ImportBegun(long uptimeNanos) {}
