package io.gpusnap.node.cli;

/** One thing that was tried out on a tier. */
record TierCheck(String tier, String name, boolean passed, String detail) {}
