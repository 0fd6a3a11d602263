package io.gpusnap.node.client;

import java.time.Instant;
import java.util.List;

/**
 * Who else works on an operation's snapshot.
 *
 * @param since when this node began, by the service's clock
 * @param peers without this node
 */
public record PeersAnswer(Instant since, int refreshSeconds, List<Peer> peers) {

    /** @param role HOLDER, FETCHER or RECENT; one that this daemon does not know is passed over */
    public record Peer(String nodeId, String address, String certificate, String role, Instant since, String token) {

        /** Hides the token. */
        @Override
        public String toString() {
            return "Peer[" + nodeId + ", " + role + "]";
        }
    }
}
