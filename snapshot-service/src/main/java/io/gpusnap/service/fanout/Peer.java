package io.gpusnap.service.fanout;

import io.gpusnap.service.node.Inventory;
import io.gpusnap.service.platform.id.NodeId;
import java.time.Instant;

/**
 * Another node that works, or has worked, on the same snapshot.
 *
 * @param since when it began
 * @param token lets the asking node have the snapshot's chunks from it
 */
public record Peer(NodeId nodeId, Inventory.PeerEndpoint endpoint, PeerRole role, Instant since, String token) {

    @Override
    public String toString() {
        return "Peer[" + nodeId + ", " + role + "]";
    }
}
