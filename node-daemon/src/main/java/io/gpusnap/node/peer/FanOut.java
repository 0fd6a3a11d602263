package io.gpusnap.node.peer;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.snapshot.ChunkSources;
import io.gpusnap.node.snapshot.ReadBytes;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.transfer.Traffic;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.Collection;
import java.util.Optional;
import java.util.stream.Collectors;

/** This node's part in bringing snapshots to many nodes at once. One object a node; thread-safe. */
public final class FanOut implements AutoCloseable {

    private final PeerSettings settings;
    private final Flights flights = new Flights();
    private final RecentChunks recent;
    private final Shares shares;
    private final PeerCounts counts = new PeerCounts();
    private final TokenGate gate;
    private final Optional<Link> link;
    private volatile Optional<PeerDirectory> directory = Optional.empty();

    /** An operation's sources, until it has ended. */
    public record Gathered(ChunkSources sources, Runnable end) implements AutoCloseable {
        @Override
        public void close() {
            end.run();
        }
    }

    /**
     * @param traffic of this node: its own thaws go first
     * @throws IOException when the address cannot be listened on
     */
    public FanOut(PeerSettings settings, SnapshotStore store, Traffic traffic) throws IOException {
        this.settings = settings;
        this.recent = new RecentChunks(settings.bufferBytes());
        this.shares = new Shares(store);
        this.gate = new TokenGate(settings.tenant(), System::nanoTime);
        this.link = settings.listen().isPresent()
                ? Optional.of(link(
                        settings.listen().get(),
                        new Provision(settings, store, shares, flights, recent, counts, traffic)))
                : Optional.empty();
    }

    /** What dealing with other nodes takes. */
    private record Link(NodeCertificate certificate, PeerClient client, PeerServer server) {}

    private Link link(InetSocketAddress listen, Provision provision) throws IOException {
        NodeCertificate certificate = NodeCertificate.make();
        return new Link(
                certificate,
                new PeerClient(certificate, settings.timeout()),
                PeerServer.start(listen, certificate, gate, provision, settings.timeout()));
    }

    /** From now on operations are shared with those that it knows. Without an address of its own a node asks nobody either. */
    public void know(PeerDirectory known) {
        directory = link.isPresent() ? Optional.of(known) : Optional.empty();
    }

    /** What the service has to tell others of this node; empty where it serves nobody. */
    public Optional<Endpoint> endpoint() {
        return link.map(open -> new Endpoint(
                settings.address().orElseGet(open.server()::address),
                open.certificate().digest(),
                settings.tenant()));
    }

    /**
     * @param address host and port
     * @param certificate SHA-256 of the certificate that it has for as long as the daemon runs
     */
    public record Endpoint(String address, String certificate, String tenant) {}

    /** Judges who may ask this node. */
    public TokenGate gate() {
        return gate;
    }

    public PeerCounts counts() {
        return counts;
    }

    /**
     * Begins to bring a snapshot. Other nodes may ask this one for its chunks from now on.
     *
     * @param chunks of its manifest
     * @param sources the operation's, which know whom to tell
     * @param bytes of the operation
     */
    public Gathered gather(
            OperationId operation,
            SnapshotId snapshot,
            String manifestDigest,
            Collection<ChunkRef> chunks,
            ChunkSources sources,
            ReadBytes bytes) {
        Gathering gathering = new Gathering(this, operation, snapshot, bytes, directory);
        shares.open(
                snapshot,
                new Shares.Share(
                        manifestDigest,
                        chunks.stream().filter(chunk -> !chunk.isZero()).collect(Collectors.toSet()),
                        Optional.of(gathering)));
        return new Gathered(sources.with(gathering), gathering::close);
    }

    void ended(SnapshotId snapshot, Gathering gathering) {
        shares.quiet(snapshot, gathering);
    }

    PeerSettings settings() {
        return settings;
    }

    Flights flights() {
        return flights;
    }

    RecentChunks recent() {
        return recent;
    }

    /** Only nodes that serve know of any to ask. */
    PeerClient client() {
        return link.orElseThrow().client();
    }

    @Override
    public void close() {
        link.ifPresent(open -> open.server().close());
    }
}
