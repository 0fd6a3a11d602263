package io.gpusnap.node.engine;

import io.gpusnap.node.store.SnapshotId;

/** What an archive says it holds; its shape is proven, its chunks are not. */
public record ArchiveInfo(SnapshotId snapshot, String manifestDigest, long chunkBytes, boolean sealed) {}
