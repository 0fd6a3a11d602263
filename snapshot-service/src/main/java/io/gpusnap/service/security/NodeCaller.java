package io.gpusnap.service.security;

import io.gpusnap.service.platform.id.NodeId;
import io.gpusnap.service.platform.problem.ApiException;
import io.gpusnap.service.platform.problem.ErrorCode;

/** The daemon that calls, proven by its session token. A controller gets it by naming it as a parameter. */
public record NodeCaller(NodeId nodeId, long epoch) {

    /**
     * Checks that a path is about the caller's own node.
     *
     * @throws ApiException FORBIDDEN if the path is another node's
     */
    public void mustBe(NodeId node) {
        if (!nodeId.equals(node)) {
            throw new ApiException(ErrorCode.FORBIDDEN, "The session token is another node's.");
        }
    }
}
