package io.gpusnap.node.tier.blob;

import java.time.Instant;

/** @param modifiedAt by the store's own clock, to be compared with nothing else */
public record BlobInfo(BlobKey key, long sizeBytes, Instant modifiedAt) {}
