package io.gpusnap.node.tier;

/** Tiers, fastest first. */
public enum TierKind {
    MEMORY,
    NVME,
    NFS,
    S3
}
