package io.gpusnap.service.forecast.prefetch;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.SnapshotId;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A node's fast tier.
 *
 * @param freeGpus that a new replica could have
 * @param freeBytes of the tier
 * @param budgetBytes that may be moved to it before the next plan
 * @param copies in it, the least recently used first
 * @param takes the only snapshots that may be moved to it; empty: any
 */
public record Site(
        NodeId node,
        int freeGpus,
        long freeBytes,
        long budgetBytes,
        List<Copy> copies,
        Optional<Set<SnapshotId>> takes) {

    /** One that takes any snapshot. */
    public Site(NodeId node, int freeGpus, long freeBytes, long budgetBytes, List<Copy> copies) {
        this(node, freeGpus, freeBytes, budgetBytes, copies, Optional.empty());
    }

    /**
     * A snapshot that is hot here, or on its way.
     *
     * @param pinned must stay: something reads it, or somebody asked for it
     */
    public record Copy(SnapshotId snapshot, long bytes, boolean pinned) {}
}
