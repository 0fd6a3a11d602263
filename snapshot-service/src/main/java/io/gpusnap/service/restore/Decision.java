package io.gpusnap.service.restore;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ErrorCode;
import java.util.List;

/**
 * Why a restore uses this snapshot on this node.
 *
 * @param reasons what spoke for them, in sentences
 * @param rejected nodes that hold the snapshot and were not taken
 */
public record Decision(List<String> reasons, List<Rejected> rejected) {

    /** A node that was not taken. */
    public record Rejected(NodeId nodeId, String nodeName, ErrorCode code, String reason) {}
}
