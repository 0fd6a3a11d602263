package io.gpusnap.node.tier.pack;

import io.gpusnap.node.store.SnapshotId;
import java.util.UUID;

/**
 * A snapshot in a shared store.
 *
 * @param copy which of its copies, if it was put there more than once
 */
public record SharedSnapshot(SnapshotId snapshot, UUID copy, long manifestBytes) {}
