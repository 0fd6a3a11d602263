package io.gpusnap.service.node;

import io.gpusnap.service.platform.id.NodeId;
import java.util.List;

/** A feature that knows of processes which must not go on where they are. */
public interface WorkloadFencing {

    /** Those of the reported processes that the node has to end, in the heartbeat's transaction. */
    List<WorkloadReport> toEnd(NodeId node, List<WorkloadReport> reported);
}
