package io.gpusnap.node.peer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.gpusnap.node.peer.PeerCounts.Failure;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.snapshot.SnapshotStore;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.ManifestDigest;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.transfer.StoredSnapshot;
import io.gpusnap.node.transfer.Traffic;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocket;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a node gives to others, over real connections. */
class PeerServerTest {

    private static final int CONNECTIONS = 2;
    private static final Duration SHORT = Duration.ofSeconds(3);

    @TempDir
    Path folder;

    private final NodeCertificate own = NodeCertificate.make();
    private final PeerClient client = new PeerClient(own, Duration.ofSeconds(20));
    private SnapshotStore store;
    private FanOut serving;
    private StoredSnapshot stored;
    private TestService service;
    private UUID audience;
    private String digest;

    @BeforeEach
    void startANodeThatHasASnapshot() throws Exception {
        store = StoredSnapshot.open(folder, 16 << 20);
        stored = StoredSnapshot.make(store, SnapshotId.random(), 3, 1 << 20);
        digest = ManifestDigest.of(stored.manifest()).hex();
        service = new TestService(stored.snapshot().value(), digest);
        serve(Duration.ofSeconds(20));
    }

    private void serve(Duration timeout) throws Exception {
        serving = new FanOut(
                new PeerSettings(
                        Optional.of(new InetSocketAddress("127.0.0.1", 0)),
                        Optional.empty(),
                        "default",
                        CONNECTIONS,
                        0,
                        timeout,
                        32 << 20),
                store,
                new Traffic(0));
        audience = service.register(serving);
    }

    @AfterEach
    void stop() {
        serving.close();
        store.close();
    }

    private PeerToken claims() {
        return new PeerToken(
                audience,
                UUID.randomUUID(),
                own.digest(),
                stored.snapshot().value(),
                digest,
                "default",
                service.now().plusSeconds(60));
    }

    private static final class Received implements Nearby.Target {
        private final MemorySegment memory = Arena.ofAuto().allocate(TreeDigester.MAX_CHUNK_BYTES);
        private final List<ChunkRef> chunks = new ArrayList<>();

        @Override
        public MemorySegment memory(ChunkRef chunk) {
            return memory;
        }

        @Override
        public void arrived(ChunkRef chunk, MemorySegment content) {
            chunks.add(chunk);
        }
    }

    private List<ChunkRef> ask(PeerToken token, List<ChunkRef> chunks) throws Exception {
        Received received = new Received();
        client.ask(service.peer(audience, service.token(token)), stored.snapshot(), Mode.IF_HERE, chunks, received);
        return received.chunks;
    }

    private Failure refused(PeerToken token, List<ChunkRef> chunks) {
        return catchThrowableOfType(PeerException.class, () -> ask(token, chunks))
                .failure();
    }

    @Test
    void chunksOfTheSnapshotAreGiven() throws Exception {
        assertThat(ask(claims(), stored.chunks())).isEqualTo(stored.chunks());
        assertThat(serving.counts().servedBytes()).isEqualTo(3L << 20);
    }

    @Test
    void aBodyThatIsLongerThanAnyListIsRefused() throws Exception {
        // given a peer that may ask
        Peer peer = service.peer(audience, service.token(claims()));
        HttpsURLConnection connection = (HttpsURLConnection) URI.create("https://%s%s%s%s?mode=if-here"
                        .formatted(peer.address(), PeerServer.PATH, stored.snapshot(), PeerServer.CHUNKS))
                .toURL()
                .openConnection(Proxy.NO_PROXY);
        connection.setSSLSocketFactory(
                own.context(PinnedTrust.only(peer.certificate())).getSocketFactory());
        connection.setHostnameVerifier((name, session) -> true);
        connection.setRequestProperty("Authorization", "Bearer " + peer.token());
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        // when
        String line = "ab".repeat(32) + " 4194304\n";
        connection.getOutputStream().write(line.repeat(5000).getBytes(StandardCharsets.US_ASCII));
        // then
        assertThat(connection.getResponseCode()).isEqualTo(413);
        connection.disconnect();
        assertThat(ask(claims(), stored.chunks())).isEqualTo(stored.chunks());
    }

    @Test
    void aChunkOfAnotherSnapshotIsNotGivenAlthoughItIsHere() throws Exception {
        // given a chunk that is in this store, and not in the snapshot of the token
        StoredSnapshot other = StoredSnapshot.make(store, SnapshotId.random(), 4, 1 << 20);
        ChunkRef secret = other.chunks().getLast();
        assertThat(stored.chunks()).doesNotContain(secret);
        // then
        assertThat(refused(claims(), List.of(secret))).isEqualTo(Failure.REFUSED);
        assertThat(serving.counts().servedBytes()).isZero();
    }

    @Test
    void aTokenOfAnotherNodeTimeTenantOrManifestOpensNothing() {
        PeerToken good = claims();
        PeerToken stolen = new PeerToken(
                audience, good.subject(), "ab".repeat(32), good.snapshotId(), digest, "default", good.expiresAt());
        PeerToken over = new PeerToken(
                audience, good.subject(), own.digest(), good.snapshotId(), digest, "default", service.now());
        PeerToken tenant = new PeerToken(
                audience, good.subject(), own.digest(), good.snapshotId(), digest, "other", good.expiresAt());
        PeerToken snapshot = new PeerToken(
                audience, good.subject(), own.digest(), UUID.randomUUID(), digest, "default", good.expiresAt());
        assertThat(List.of(stolen, over, tenant, snapshot))
                .allSatisfy(token -> assertThat(refused(token, stored.chunks())).isEqualTo(Failure.REFUSED));
        assertThat(serving.counts().refusedTokens()).isEqualTo(4);
        // and another manifest of that name is another snapshot
        PeerToken manifest = new PeerToken(
                audience,
                good.subject(),
                own.digest(),
                good.snapshotId(),
                "00".repeat(32),
                "default",
                good.expiresAt());
        assertThat(refused(manifest, stored.chunks())).isEqualTo(Failure.ABSENT);
    }

    @Test
    void aTokenForAnotherAudienceOpensNothing() throws Exception {
        // given another node, and a token for that one shown here
        SnapshotStore otherStore = StoredSnapshot.open(folder.resolve("other"), 16 << 20);
        try (FanOut other = new FanOut(
                new PeerSettings(
                        Optional.of(new InetSocketAddress("127.0.0.1", 0)),
                        Optional.empty(),
                        "default",
                        2,
                        0,
                        Duration.ofSeconds(20),
                        32 << 20),
                otherStore,
                new Traffic(0))) {
            UUID elsewhere = service.register(other);
            PeerToken good = claims();
            String token = service.token(new PeerToken(
                    elsewhere, good.subject(), own.digest(), good.snapshotId(), digest, "default", good.expiresAt()));
            // then
            PeerException refused = catchThrowableOfType(
                    PeerException.class,
                    () -> client.ask(
                            service.peer(audience, token),
                            stored.snapshot(),
                            Mode.IF_HERE,
                            stored.chunks(),
                            new Received()));
            assertThat(refused.failure()).isEqualTo(Failure.REFUSED);
        } finally {
            otherStore.close();
        }
    }

    @Test
    void aPeerWithAnotherCertificateThanTheServiceTellsIsNotAsked() {
        Peer peer = service.peer(audience, service.token(claims()));
        Peer impostor =
                new Peer(peer.nodeId(), peer.address(), "ab".repeat(32), peer.role(), peer.since(), peer.token());
        PeerException refused = catchThrowableOfType(
                PeerException.class,
                () -> client.ask(impostor, stored.snapshot(), Mode.IF_HERE, stored.chunks(), new Received()));
        assertThat(refused.failure()).isEqualTo(Failure.UNREACHABLE);
        assertThat(serving.counts().servedBytes()).isZero();
    }

    @Test
    void aSnapshotThatIsNotHereIsToldSoToWhomItConcerns() throws Exception {
        // given a good token for a snapshot that this node does not have
        TestService elsewhere = new TestService(UUID.randomUUID(), digest);
        UUID id = elsewhere.register(serving);
        PeerToken token = new PeerToken(
                id,
                UUID.randomUUID(),
                own.digest(),
                elsewhere.claims(id, id).snapshotId(),
                digest,
                "default",
                elsewhere.now().plusSeconds(60));
        PeerException absent = catchThrowableOfType(
                PeerException.class,
                () -> client.ask(
                        elsewhere.peer(id, elsewhere.token(token)),
                        new SnapshotId(token.snapshotId()),
                        Mode.FETCH,
                        stored.chunks(),
                        new Received()));
        assertThat(absent.failure()).isEqualTo(Failure.ABSENT);
    }

    /** A connection of this node's, by hand, that takes in next to nothing unless it is read. */
    private SSLSocket connect(Peer peer) throws Exception {
        SSLSocket socket = (SSLSocket) own.context(PinnedTrust.only(peer.certificate()))
                .getSocketFactory()
                .createSocket();
        socket.setReceiveBufferSize(16 << 10);
        URI at = URI.create("https://" + peer.address());
        socket.connect(new InetSocketAddress(at.getHost(), at.getPort()));
        socket.startHandshake();
        return socket;
    }

    private byte[] request(Peer peer, int bodyBytes, String body) {
        return "POST %s%s%s?mode=if-here HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s"
                .formatted(
                        PeerServer.PATH,
                        stored.snapshot(),
                        PeerServer.CHUNKS,
                        peer.address(),
                        peer.token(),
                        bodyBytes,
                        body)
                .getBytes(StandardCharsets.US_ASCII);
    }

    /** Where a client that is slow has come to when it goes on byte by byte. */
    enum Slow {
        BEFORE_THE_HANDSHAKE,
        IN_THE_HEADERS,
        IN_THE_BODY
    }

    @ParameterizedTest
    @EnumSource
    void whoAsksSlowlyIsCutOff(Slow slow) throws Exception {
        // given
        serving.close();
        serve(SHORT);
        Peer peer = service.peer(audience, service.token(claims()));
        byte[] request = request(peer, 5000, "ab");
        URI at = URI.create("https://" + peer.address());
        try (Socket socket =
                slow == Slow.BEFORE_THE_HANDSHAKE ? new Socket(at.getHost(), at.getPort()) : connect(peer)) {
            // when
            byte[] trickle = slow == Slow.BEFORE_THE_HANDSHAKE ? new byte[] {22, 3, 1, 64, 0} : request;
            int from = slow == Slow.IN_THE_BODY ? request.length - 1 : 0;
            socket.getOutputStream().write(trickle, 0, from);
            // then
            AtomicInteger sent = new AtomicInteger(from);
            Awaitility.await()
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> isCutOff(socket, trickle[Math.min(sent.getAndIncrement(), trickle.length - 1)]));
        }
        assertThat(ask(claims(), stored.chunks())).isEqualTo(stored.chunks());
    }

    private static boolean isCutOff(Socket socket, int more) {
        try {
            socket.getOutputStream().write(more);
            socket.setSoTimeout(1);
            return socket.getInputStream().read() < 0;
        } catch (SocketTimeoutException e) {
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    @Test
    void whoReadsNothingOfItsAnswerDoesNotKeepOthersFromTheirs() throws Exception {
        // given as many as are served at a time, that ask for more than any connection has room for
        serving.close();
        serve(SHORT);
        Peer peer = service.peer(audience, service.token(claims()));
        ChunkRef chunk = stored.chunks().getFirst();
        String body = "%s %d\n".formatted(chunk.digest(), chunk.sizeBytes()).repeat(200);
        List<SSLSocket> stuck = new ArrayList<>();
        try {
            for (int i = 0; i < CONNECTIONS; i++) {
                SSLSocket socket = connect(peer);
                stuck.add(socket);
                socket.getOutputStream().write(request(peer, body.length(), body));
            }
            Awaitility.await().until(() -> serving.counts().servedBytes() >= CONNECTIONS * chunk.sizeBytes());
            // when, then
            Awaitility.await()
                    .ignoreExceptions()
                    .until(() -> ask(claims(), stored.chunks()).equals(stored.chunks()));
            assertThat(serving.counts().servedBytes()).isLessThan(200L * chunk.sizeBytes());
        } finally {
            for (SSLSocket socket : stuck) {
                socket.close();
            }
        }
    }
}
