package io.gpusnap.node.peer;

import io.gpusnap.node.peer.Peer.Role;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Who takes part in bringing back a snapshot, as this node knows at one moment.
 *
 * @param peers those that may be asked
 */
record View(String self, Instant since, List<Peer> peers) {

    /** Asked before the store is: more would cost more than they help. */
    private static final int MOST_ASKED = 2;

    static final View ALONE = new View("", Instant.EPOCH, List.of());

    View {
        peers = List.copyOf(peers);
    }

    /** Whether anybody else fetches. */
    boolean shared() {
        return peers.stream().anyMatch(peer -> peer.role() == Role.FETCHER);
    }

    /** Who reads this window for all; empty: this node. */
    Optional<Peer> home(String window) {
        List<String> nodes = new ArrayList<>();
        nodes.add(self);
        peers.stream()
                .filter(peer -> peer.role() == Role.FETCHER)
                .map(Peer::nodeId)
                .forEach(nodes::add);
        return Homes.of(window, nodes)
                .flatMap(home -> peers.stream()
                        .filter(peer -> peer.nodeId().equals(home))
                        .findFirst());
    }

    /** Who may have it already: a node that has the whole snapshot, a different one for each window, else those that began first. */
    List<Peer> mayHave(String window) {
        List<Peer> asked = new ArrayList<>();
        peers.stream()
                .filter(peer -> peer.role() == Role.HOLDER)
                .max(Comparator.comparing(peer -> Homes.score(peer.nodeId(), window), Long::compareUnsigned))
                .ifPresent(asked::add);
        peers.stream()
                .filter(peer -> peer.role() == Role.RECENT
                        || peer.role() == Role.FETCHER && peer.since().isBefore(since))
                .sorted(Comparator.comparing(Peer::since))
                .limit(MOST_ASKED - asked.size())
                .forEach(asked::add);
        return asked;
    }
}
