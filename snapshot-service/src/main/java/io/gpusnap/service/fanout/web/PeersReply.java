package io.gpusnap.service.fanout.web;

import io.gpusnap.service.fanout.Peer;
import io.gpusnap.service.fanout.PeerRole;
import io.gpusnap.service.fanout.Peers;
import io.gpusnap.service.platform.id.NodeId;
import io.swagger.v3.oas.annotations.media.Schema;
import java.time.Instant;
import java.util.List;

/**
 * Who else works on the snapshot.
 *
 * @param since when the caller's own work began, by the database's clock
 * @param refreshSeconds when to ask again
 * @param peers without the caller
 */
record PeersReply(Instant since, int refreshSeconds, List<PeerResource> peers) {

    /**
     * Another node.
     *
     * @param address host and port
     * @param certificate SHA-256 of the certificate that it has, lower-case hex; no other is to be believed
     * @param since when it began, by the database's clock
     * @param token to be shown to it
     */
    @Schema(name = "Peer")
    record PeerResource(NodeId nodeId, String address, String certificate, PeerRole role, Instant since, String token) {

        static PeerResource of(Peer peer) {
            return new PeerResource(
                    peer.nodeId(),
                    peer.endpoint().address(),
                    peer.endpoint().certificate(),
                    peer.role(),
                    peer.since(),
                    peer.token());
        }

        @Override
        public String toString() {
            return "Peer[" + nodeId + ", " + role + "]";
        }
    }

    static PeersReply of(Peers.Listing listing) {
        return new PeersReply(
                listing.since(),
                Math.toIntExact(listing.refresh().toSeconds()),
                listing.peers().stream().map(PeerResource::of).toList());
    }
}
