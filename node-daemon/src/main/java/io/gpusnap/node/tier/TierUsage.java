package io.gpusnap.node.tier;

import java.nio.file.Path;

/** @param freeBytes what can still be put, reserves and locked-down parts not counted */
public record TierUsage(TierKind kind, Path path, long capacityBytes, long freeBytes, long usedBytes) {}
