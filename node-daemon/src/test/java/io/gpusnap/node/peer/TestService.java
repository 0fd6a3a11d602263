package io.gpusnap.node.peer;

import io.gpusnap.node.operation.OperationId;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/** In place of the control plane: knows nodes and their keys, tells those who take part of each other, makes their tokens. */
public final class TestService {

    private record Node(UUID id, byte[] key, FanOut.Endpoint endpoint) {}

    private record Part(UUID node, FanOut.Endpoint endpoint, Peer.Role role, Instant since, Optional<String> token) {}

    private final UUID snapshot;
    private final String manifestDigest;
    private final Map<UUID, Node> nodes = new ConcurrentHashMap<>();
    private final List<Part> parts = new CopyOnWriteArrayList<>();
    private volatile Instant now = Instant.parse("2026-11-24T22:00:00Z");

    public TestService(UUID snapshot, String manifestDigest) {
        this.snapshot = snapshot;
        this.manifestDigest = manifestDigest;
    }

    /** Its heartbeat was just answered. */
    public UUID register(FanOut node) {
        Node known = new Node(UUID.randomUUID(), randomKey(), node.endpoint().orElseThrow());
        nodes.put(known.id(), known);
        node.gate().registered(known.id(), known.key());
        node.gate().serviceTime(now);
        node.know(operation -> look(known, operation));
        return known.id();
    }

    /** Each that is told of begins a second after the one before. */
    public void takesPart(UUID node, Peer.Role role) {
        now = now.plusSeconds(1);
        parts.add(new Part(node, of(node).endpoint(), role, now, Optional.empty()));
    }

    /** One that no daemon stands behind. */
    void takesPart(UUID node, FanOut.Endpoint endpoint, Peer.Role role) {
        now = now.plusSeconds(1);
        parts.add(new Part(node, endpoint, role, now, Optional.of("any")));
    }

    private Node of(UUID node) {
        return Optional.ofNullable(nodes.get(node)).orElseThrow();
    }

    PeerToken claims(UUID audience, UUID subject) {
        return new PeerToken(
                audience,
                subject,
                of(subject).endpoint().certificate(),
                snapshot,
                manifestDigest,
                "default",
                now.plusSeconds(60));
    }

    /** As the audience's own key signs it. */
    String token(PeerToken claims) {
        return claims.signed(of(claims.audience()).key());
    }

    Peer peer(UUID node, String token) {
        FanOut.Endpoint endpoint = of(node).endpoint();
        return new Peer(node.toString(), endpoint.address(), endpoint.certificate(), Peer.Role.FETCHER, now, token);
    }

    Instant now() {
        return now;
    }

    private Optional<PeerDirectory.Listing> look(Node asking, OperationId operation) {
        Instant since = parts.stream()
                .filter(part -> part.node().equals(asking.id()))
                .map(Part::since)
                .findFirst()
                .orElse(now);
        List<Peer> others = parts.stream()
                .filter(part -> !part.node().equals(asking.id()))
                .map(part -> new Peer(
                        part.node().toString(),
                        part.endpoint().address(),
                        part.endpoint().certificate(),
                        part.role(),
                        part.since(),
                        part.token().orElseGet(() -> token(claims(part.node(), asking.id())))))
                .toList();
        return Optional.of(new PeerDirectory.Listing(asking.id().toString(), since, others, Duration.ofSeconds(1)));
    }

    static byte[] randomKey() {
        byte[] key = new byte[32];
        new SecureRandom().nextBytes(key);
        return key;
    }
}
