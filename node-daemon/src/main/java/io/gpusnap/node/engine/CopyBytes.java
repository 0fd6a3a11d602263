package io.gpusnap.node.engine;

/** What the chunks of a copy take in the tier, those that were there before too. */
record CopyBytes(long bytes) {}
