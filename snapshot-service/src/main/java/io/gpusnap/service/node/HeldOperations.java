package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.id.OperationId;
import java.util.List;

/** Judges what a daemon believes to be working on; implemented by the operations' feature. */
public interface HeldOperations {

    /**
     * What the daemon should know of the operations that it named.
     *
     * @param cancel asked to be cancelled
     * @param fenced no longer the daemon's
     */
    record Verdict(List<OperationId> cancel, List<OperationId> fenced) {}

    /** Renews the leases of those that are the node's, in the caller's transaction. */
    Verdict review(NodeId node, List<HeldOperation> held);
}
