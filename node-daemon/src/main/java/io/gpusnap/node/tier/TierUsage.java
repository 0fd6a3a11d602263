package io.gpusnap.node.tier;

import java.nio.file.Path;

/**
 * @param freeBytes what can still be put, reserves and locked-down parts not counted
 * @param usedBytes what the tier's own chunks take; what else lies on the same medium does not count
 */
public record TierUsage(TierKind kind, Path path, long capacityBytes, long freeBytes, long usedBytes) {}
