package io.gpusnap.node.tier.blob;

import java.time.Instant;

/** @param modifiedAt by the store's own clock: nothing is decided by comparing it with another */
public record BlobInfo(BlobKey key, long sizeBytes, Instant modifiedAt) {}
