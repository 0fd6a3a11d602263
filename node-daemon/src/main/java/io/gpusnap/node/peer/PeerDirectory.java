package io.gpusnap.node.peer;

import io.gpusnap.node.operation.OperationId;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Knows who else works on what an operation works on. Implemented by whoever talks with the service. */
public interface PeerDirectory {

    /**
     * @param self the id of this node
     * @param since when this node began
     * @param peers without this node
     * @param refresh when to ask again
     */
    record Listing(String self, Instant since, List<Peer> peers, Duration refresh) {

        public Listing {
            peers = List.copyOf(peers);
        }
    }

    /** Empty when it cannot be told now, or the service does not want it. */
    Optional<Listing> look(OperationId operation) throws InterruptedException;
}
