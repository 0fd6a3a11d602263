package io.gpusnap.node.tier;

/**
 * @param location where it is, for people: a path, or the address of a bucket
 * @param capacityBytes {@link #UNBOUNDED_BYTES} where nothing is known of a limit
 * @param freeBytes what can still be put, reserves and locked-down parts not counted
 * @param usedBytes what the tier's own chunks take; what else lies on the same medium does not count
 */
public record TierUsage(TierKind kind, String location, long capacityBytes, long freeBytes, long usedBytes) {

    /** 1 PiB: an object store has no size that it would tell. */
    public static final long UNBOUNDED_BYTES = 1L << 50;
}
