package io.gpusnap.node.metrics;

/** Names and labels of every meter, as Prometheus shows them less the suffixes that it adds itself. */
public final class MetricNames {

    /** Histogram of a stage's seconds. Labels: engine, stage, outcome. */
    public static final String STAGE = "gpusnap.node.stage";
    /** Operations that ended. Labels: kind, outcome. */
    public static final String OPERATIONS = "gpusnap.node.operations";
    /** Bytes moved by finished stages. Labels: direction, tier. */
    public static final String BYTES = "gpusnap.node.bytes";
    /** Bytes done of the stages that run now. Label: kind. */
    public static final String PROGRESS_BYTES = "gpusnap.node.operation.progress.bytes";
    /** Bytes to do of the stages that run now, where known. Label: kind. */
    public static final String PROGRESS_TOTAL_BYTES = "gpusnap.node.operation.size.bytes";
    /** Operations that run, or whose outcome is not yet delivered. */
    public static final String OPERATIONS_HELD = "gpusnap.node.operations.held";
    /** 1 while the service answers. */
    public static final String SERVICE_CONNECTED = "gpusnap.node.service.connected";
    /** How far the service's clock is ahead of this node's, in seconds, at the last heartbeat. */
    public static final String CLOCK_DIFFERENCE_SECONDS = "gpusnap.node.clock.difference.seconds";
    /** Label: tier. */
    public static final String TIER_CAPACITY_BYTES = "gpusnap.node.tier.capacity.bytes";
    /** Label: tier. */
    public static final String TIER_FREE_BYTES = "gpusnap.node.tier.free.bytes";
    /** Label: tier. */
    public static final String TIER_USED_BYTES = "gpusnap.node.tier.used.bytes";
    /** 1 while the tier answers as it should. Label: tier. */
    public static final String TIER_HEALTHY = "gpusnap.node.tier.healthy";
    /** Chunks that were found wrong there in this daemon's life. Label: tier. */
    public static final String TIER_QUARANTINED_CHUNKS = "gpusnap.node.tier.quarantined.chunks";
    /** Bytes of chunks that operations have read. Label: tier, its name, or peer for other nodes. */
    public static final String READ_BYTES = "gpusnap.node.chunk.read.bytes";
    /** Requests to other nodes that brought nothing, or not all. Label: reason. */
    public static final String PEER_FAILURES = "gpusnap.node.peer.failures";
    /** Bytes of chunks that other nodes have had from this one. */
    public static final String PEER_SERVED_BYTES = "gpusnap.node.peer.served.bytes";
    /** Requests of other nodes whose token was not taken. */
    public static final String PEER_REFUSED = "gpusnap.node.peer.refused.requests";
    /** Chunks of the node's own store that nothing named when it was last looked through; the next look deletes them. */
    public static final String ORPHAN_CHUNKS = "gpusnap.node.orphan.chunks";
    /** Bytes of chunks of the node's own store that were deleted because nothing named them. */
    public static final String ORPHAN_FREED_BYTES = "gpusnap.node.orphan.freed.bytes";
    /** Looks through the node's own store for such chunks. Label: outcome. */
    public static final String ORPHAN_LOOKS = "gpusnap.node.orphan.looks";
    /** Bytes of damaged chunks of the node's own store that were kept when it was last looked through. */
    public static final String QUARANTINE_BYTES = "gpusnap.node.quarantine.bytes";
    /** Bytes of such chunks that are kept no longer. */
    public static final String QUARANTINE_FREED_BYTES = "gpusnap.node.quarantine.freed.bytes";
    /** Looks through them that did not come to their end. */
    public static final String QUARANTINE_FAILED_LOOKS = "gpusnap.node.quarantine.failed.looks";
    /** Label: gpu, its ordinal. */
    public static final String GPU_FREE_BYTES = "gpusnap.node.gpu.free.bytes";
    /** Snapshots in the local store. */
    public static final String SNAPSHOTS = "gpusnap.node.snapshots";

    public static final String LABEL_ENGINE = "engine";
    public static final String LABEL_STAGE = "stage";
    public static final String LABEL_OUTCOME = "outcome";
    public static final String LABEL_KIND = "kind";
    public static final String LABEL_DIRECTION = "direction";
    public static final String LABEL_TIER = "tier";
    public static final String LABEL_REASON = "reason";
    public static final String LABEL_GPU = "gpu";

    private MetricNames() {}
}
