package io.gpusnap.node.cli;

import io.gpusnap.node.agent.Agent;
import io.gpusnap.node.client.PeersAnswer;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.peer.Peer;
import io.gpusnap.node.peer.PeerDirectory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;

/** Who else works on a snapshot, as the service tells the agent. */
final class ServicePeers implements PeerDirectory {

    private final Agent agent;

    ServicePeers(Agent agent) {
        this.agent = agent;
    }

    @Override
    public Optional<Listing> look(OperationId operation) throws InterruptedException {
        return agent.peers(operation)
                .map(known -> new Listing(
                        known.self(),
                        known.answer().since(),
                        known.answer().peers().stream()
                                .map(ServicePeers::peer)
                                .flatMap(Optional::stream)
                                .toList(),
                        Duration.ofSeconds(Math.max(1, known.answer().refreshSeconds()))));
    }

    private static Optional<Peer> peer(PeersAnswer.Peer peer) {
        return Arrays.stream(Peer.Role.values())
                .filter(role -> role.name().equals(peer.role()))
                .findFirst()
                .map(role ->
                        new Peer(peer.nodeId(), peer.address(), peer.certificate(), role, peer.since(), peer.token()));
    }
}
