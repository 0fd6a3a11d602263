package io.gpusnap.node.peer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsExchange;
import com.sun.net.httpserver.HttpsParameters;
import com.sun.net.httpserver.HttpsServer;
import io.gpusnap.node.http.RequestThreads;
import io.gpusnap.node.peer.Shares.Share;
import io.gpusnap.node.store.ChunkRef;
import io.gpusnap.node.store.SnapshotId;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where other nodes ask for chunks: {@code POST /peer/v1/snapshots/<id>/chunks?mode=fetch|if-here}, in the body a line
 * {@code <digest> <size>} for each chunk. Both sides show a certificate. Nothing is answered before the token was judged, and
 * nothing but chunks of the snapshot that it names.
 */
final class PeerServer implements AutoCloseable {

    static final String PATH = "/peer/v1/snapshots/";
    static final String CHUNKS = "/chunks";

    private static final Logger LOG = LoggerFactory.getLogger(PeerServer.class);
    /** A window has fewer chunks, unless they are tiny. */
    private static final int MOST_CHUNKS = 4096;

    private static final int MOST_BODY_BYTES = MOST_CHUNKS * 80;
    private static final int BACKLOG = 64;
    private static final Pattern TARGET = Pattern.compile(PATH + "([0-9a-f-]{36})" + CHUNKS);
    private static final Pattern WANTED = Pattern.compile("([0-9a-f]{64}) ([0-9]{1,7})");
    private static final String BEARER = "Bearer ";

    private final HttpsServer server;
    private final RequestThreads threads;
    private final TokenGate gate;
    private final Provision provision;

    private PeerServer(HttpsServer server, RequestThreads threads, TokenGate gate, Provision provision) {
        this.server = server;
        this.threads = threads;
        this.gate = gate;
        this.provision = provision;
    }

    /** @param limit of one request: whoever asks waits no longer either */
    static PeerServer start(
            InetSocketAddress listen, NodeCertificate certificate, TokenGate gate, Provision provision, Duration limit)
            throws IOException {
        RequestThreads threads = new RequestThreads(limit);
        HttpsServer server = HttpsServer.create(listen, BACKLOG);
        SSLContext context = certificate.context(PinnedTrust.any());
        server.setHttpsConfigurator(new HttpsConfigurator(context) {
            @Override
            public void configure(HttpsParameters params) {
                SSLParameters own = getSSLContext().getDefaultSSLParameters();
                own.setNeedClientAuth(true);
                own.setProtocols(new String[] {"TLSv1.3"});
                params.setSSLParameters(own);
            }
        });
        server.setExecutor(threads);
        PeerServer peers = new PeerServer(server, threads, gate, provision);
        server.createContext("/", peers::handle);
        server.start();
        return peers;
    }

    int port() {
        return server.getAddress().getPort();
    }

    String address() {
        String host = server.getAddress().getAddress().getHostAddress();
        return (host.contains(":") ? "[" + host + "]" : host) + ":" + port();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            answer(exchange);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            LOG.error("a peer's request broke", e);
        }
    }

    private void answer(HttpExchange exchange) throws IOException, InterruptedException {
        Matcher target = TARGET.matcher(exchange.getRequestURI().getPath());
        Optional<Mode> mode = mode(exchange.getRequestURI().getQuery());
        if (!exchange.getRequestMethod().equals("POST") || !target.matches() || mode.isEmpty()) {
            refuse(exchange, 400, "ask POST " + PATH + "<id>" + CHUNKS + "?mode=fetch or if-here");
            return;
        }
        switch (gate.judge(token(exchange), certificate(exchange))) {
            case TokenGate.Refused refused -> {
                provision.refused();
                refuse(exchange, 403, refused.why());
            }
            case TokenGate.Allowed allowed -> {
                if (!allowed.snapshotId().toString().equals(target.group(1))) {
                    provision.refused();
                    refuse(exchange, 403, "the token is for another snapshot");
                    return;
                }
                serve(exchange, mode.get(), new SnapshotId(allowed.snapshotId()), allowed.manifestDigest());
            }
        }
    }

    private void serve(HttpExchange exchange, Mode mode, SnapshotId snapshot, String manifestDigest)
            throws IOException, InterruptedException {
        byte[] body = exchange.getRequestBody().readNBytes(MOST_BODY_BYTES + 1);
        if (body.length > MOST_BODY_BYTES) {
            refuse(exchange, 413, "the body has at most " + MOST_BODY_BYTES + " bytes");
            return;
        }
        Optional<List<ChunkRef>> wanted = wanted(body);
        if (wanted.isEmpty()) {
            refuse(exchange, 400, "the body is of lines <digest> <size>, at most " + MOST_CHUNKS);
            return;
        }
        Optional<Share> share = provision.find(snapshot, manifestDigest);
        if (share.isEmpty()) {
            refuse(exchange, 404, "that snapshot is not here");
            return;
        }
        if (!share.get().chunks().containsAll(wanted.get())) {
            refuse(exchange, 403, "that snapshot has no such chunk");
            return;
        }
        if (!provision.enter(share.get())) {
            refuse(exchange, 503, "this node has other things to do");
            return;
        }
        try {
            exchange.getResponseHeaders().set("Content-Type", "application/octet-stream");
            exchange.sendResponseHeaders(200, 0);
            try (DataOutputStream out = new DataOutputStream(exchange.getResponseBody())) {
                provision.write(share.get(), mode, wanted.get(), out);
            }
        } finally {
            provision.leave();
        }
    }

    private static Optional<Mode> mode(String query) {
        return query != null && query.startsWith("mode=")
                ? Mode.of(query.substring("mode=".length()))
                : Optional.empty();
    }

    private static String token(HttpExchange exchange) {
        String header = exchange.getRequestHeaders().getFirst("Authorization");
        return header != null && header.startsWith(BEARER) ? header.substring(BEARER.length()) : "";
    }

    private static String certificate(HttpExchange exchange) throws IOException {
        return NodeCertificate.digest(((HttpsExchange) exchange).getSSLSession().getPeerCertificates()[0]);
    }

    /** Empty when it is no such list. */
    private static Optional<List<ChunkRef>> wanted(byte[] body) {
        List<ChunkRef> wanted = new ArrayList<>();
        for (String line : new String(body, StandardCharsets.US_ASCII).lines().toList()) {
            Matcher chunk = WANTED.matcher(line);
            if (!chunk.matches() || wanted.size() == MOST_CHUNKS) {
                return Optional.empty();
            }
            try {
                wanted.add(new ChunkRef(chunk.group(1), Integer.parseInt(chunk.group(2))));
            } catch (IllegalArgumentException e) {
                return Optional.empty();
            }
        }
        return Optional.of(wanted);
    }

    private static void refuse(HttpExchange exchange, int status, String why) throws IOException {
        byte[] text = (why + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "text/plain; charset=utf-8");
        exchange.sendResponseHeaders(status, text.length);
        exchange.getResponseBody().write(text);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.close();
    }
}
