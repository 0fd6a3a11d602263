package io.gpusnap.node.client;

/** The lease was renewed. */
public record ProgressAnswer(boolean cancelRequested) {}
