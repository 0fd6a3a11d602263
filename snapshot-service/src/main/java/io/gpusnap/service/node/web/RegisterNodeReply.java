package io.gpusnap.service.node.web;

import io.gpusnap.service.platform.id.NodeId;

/**
 * What a daemon goes on with.
 *
 * @param sessionToken for everything but another registration; older ones of this node are refused from now on
 * @param epoch one more at every registration of the node
 * @param heartbeatSeconds how often to send heartbeats
 * @param pollSeconds the longest useful waitSeconds of a claim
 * @param leaseSeconds how long a claimed operation is the daemon's without progress
 * @param peerKey checks the tokens that other nodes show this one, see {@code getOperationPeers}; 32 bytes in base64url, of
 *     this session only
 */
record RegisterNodeReply(
        NodeId nodeId,
        String sessionToken,
        long epoch,
        int heartbeatSeconds,
        int pollSeconds,
        int leaseSeconds,
        String peerKey) {

    @Override
    public String toString() {
        return "RegisterNodeReply[nodeId=" + nodeId + ", epoch=" + epoch + ", sessionToken=***, peerKey=***]";
    }
}
