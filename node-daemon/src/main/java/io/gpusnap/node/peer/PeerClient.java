package io.gpusnap.node.peer;

import io.gpusnap.node.peer.PeerCounts.Failure;
import io.gpusnap.node.snapshot.Nearby;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import io.gpusnap.node.store.TreeDigester;
import io.gpusnap.node.tier.TierException;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Proxy;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLSocketFactory;

/** Asks other nodes for chunks and believes none before its digest is right. Of one node a few requests at a time. */
final class PeerClient {

    /** Of one peer: it has others to serve. */
    private static final int REQUESTS_PER_PEER = 3;

    private static final int CONNECT_MILLIS = 2_000;
    private static final int STEP_BYTES = 64 << 10;
    /** In place of a length: it has not got that chunk. */
    static final int NOT_HERE = -1;

    private final NodeCertificate own;
    private final Duration timeout;
    private final Map<String, Line> lines = new ConcurrentHashMap<>();

    /** To one node. Its certificate is another one after each of its starts; how much is asked of it goes on counting. */
    private record Line(String certificate, SSLSocketFactory factory, Semaphore room) {}

    PeerClient(NodeCertificate own, Duration timeout) {
        this.own = own;
        this.timeout = timeout;
    }

    /**
     * What it has not got is left out.
     *
     * @param target is given each chunk as it comes, verified
     * @throws PeerException when it fails; what came before that is good
     * @throws TierException of the target
     */
    void ask(Peer peer, SnapshotId snapshot, Mode mode, List<ChunkRef> chunks, Nearby.Target target)
            throws PeerException, TierException, InterruptedException {
        Line line = line(peer);
        if (!line.room().tryAcquire(timeout.toNanos(), TimeUnit.NANOSECONDS)) {
            throw new PeerException(Failure.BUSY, "too much is asked of it already");
        }
        // From here on: what was waited for before was not the peer's fault.
        long end = System.nanoTime() + timeout.toNanos();
        try {
            HttpsURLConnection connection = connect(peer, line.factory(), snapshot, mode, chunks);
            boolean whole = false;
            try {
                requireOk(connection);
                read(new DataInputStream(connection.getInputStream()), chunks, target, end);
                whole = true;
            } finally {
                if (!whole) {
                    connection.disconnect(); // what is left of the body is not waited for
                }
            }
        } catch (IOException e) {
            // Who is asked cuts off what takes too long as well, and may be the first to do so.
            if (e instanceof SocketTimeoutException || System.nanoTime() - end > 0) {
                throw new PeerException(Failure.TIMEOUT, "it took longer than " + timeout.toSeconds() + " s", e);
            }
            throw new PeerException(Failure.UNREACHABLE, String.valueOf(e.getMessage()), e);
        } finally {
            line.room().release();
        }
    }

    private Line line(Peer peer) {
        return lines.compute(peer.nodeId(), (id, known) -> {
            if (known != null && known.certificate().equals(peer.certificate())) {
                return known;
            }
            SSLSocketFactory factory =
                    own.context(PinnedTrust.only(peer.certificate())).getSocketFactory();
            return new Line(
                    peer.certificate(), factory, known == null ? new Semaphore(REQUESTS_PER_PEER) : known.room());
        });
    }

    private HttpsURLConnection connect(
            Peer peer, SSLSocketFactory factory, SnapshotId snapshot, Mode mode, List<ChunkRef> chunks)
            throws IOException {
        URI uri = URI.create(
                "https://" + peer.address() + PeerServer.PATH + snapshot + PeerServer.CHUNKS + "?mode=" + mode.text());
        HttpsURLConnection connection = (HttpsURLConnection) uri.toURL().openConnection(Proxy.NO_PROXY);
        connection.setSSLSocketFactory(factory);
        // Which certificate it must be is known: what name is in it says nothing.
        connection.setHostnameVerifier((name, session) -> true);
        connection.setInstanceFollowRedirects(false);
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(Math.toIntExact(timeout.toMillis()));
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setRequestProperty("Authorization", "Bearer " + peer.token());
        connection.setRequestProperty("Content-Type", "text/plain");
        String wanted = chunks.stream()
                .map(chunk -> chunk.digest() + " " + chunk.sizeBytes() + "\n")
                .collect(Collectors.joining());
        try (OutputStream body = connection.getOutputStream()) {
            body.write(wanted.getBytes(StandardCharsets.US_ASCII));
        }
        return connection;
    }

    private static void requireOk(HttpsURLConnection connection) throws IOException, PeerException {
        int status = connection.getResponseCode();
        if (status == 200) {
            return;
        }
        String why = "";
        try (InputStream body = connection.getErrorStream()) {
            if (body != null) {
                why = ": " + new String(body.readNBytes(1024), StandardCharsets.UTF_8).strip();
            }
        }
        Failure failure = switch (status) {
            case 503 -> Failure.BUSY;
            case 404 -> Failure.ABSENT;
            default -> Failure.REFUSED;
        };
        throw new PeerException(failure, "HTTP " + status + why);
    }

    private static void read(DataInputStream body, List<ChunkRef> chunks, Nearby.Target target, long end)
            throws IOException, PeerException, TierException, InterruptedException {
        TreeDigester digester = new TreeDigester();
        byte[] step = new byte[STEP_BYTES];
        for (ChunkRef chunk : chunks) {
            int length = body.readInt();
            if (length == NOT_HERE) {
                continue;
            }
            if (length != chunk.sizeBytes()) {
                throw new PeerException(
                        Failure.CORRUPT, "a chunk of %d bytes has %d".formatted(chunk.sizeBytes(), length));
            }
            MemorySegment memory = target.memory(chunk).asSlice(0, length);
            for (int done = 0; done < length; ) {
                int some = body.read(step, 0, Math.min(STEP_BYTES, length - done));
                if (some < 0) {
                    throw new IOException("the body ended " + (length - done) + " bytes too early");
                }
                MemorySegment.copy(step, 0, memory, ValueLayout.JAVA_BYTE, done, some);
                done += some;
                if (System.nanoTime() - end > 0) {
                    throw new SocketTimeoutException("the body is too slow");
                }
            }
            if (!digester.digest(memory).equals(chunk)) {
                throw new PeerException(Failure.CORRUPT, "chunk " + chunk.digest() + " has other content");
            }
            target.arrived(chunk, memory);
        }
        if (body.read() >= 0) {
            throw new PeerException(Failure.CORRUPT, "the body goes on after its end");
        }
    }
}
