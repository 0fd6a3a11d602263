package io.gpusnap.node.engine;

/** What the tier holds less. */
public record EvictOutcome(long freedBytes) {}
