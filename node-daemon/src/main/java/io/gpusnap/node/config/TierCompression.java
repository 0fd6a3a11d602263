package io.gpusnap.node.config;

/** What is done to chunks that shrink by it. */
public enum TierCompression {
    OFF,
    ZSTD,
    /** By zstd or by planes, whichever is better. */
    PLANES
}
