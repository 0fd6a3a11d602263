package io.gpusnap.node.peer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** A peer with the right certificate and bad manners. */
final class RoguePeer implements AutoCloseable {

    enum Manner {
        /** The right length, and other bytes. */
        CORRUPTS,
        /** Ends the connection in the middle of a chunk, as a daemon does that is killed. */
        DIES,
        /** Sends half a chunk, and then nothing. */
        STALLS,
        /** Says that the token is not good. */
        REFUSES,
        /** Says that it is busy. */
        IS_BUSY,
        /** Another length than the chunk has. */
        MISCOUNTS
    }

    private final HttpsServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final NodeCertificate certificate = NodeCertificate.make();
    private final AtomicInteger asked = new AtomicInteger();
    private volatile boolean closed;

    RoguePeer(Manner manner) throws IOException {
        this.server = HttpsServer.create(new InetSocketAddress("127.0.0.1", 0), 16);
        server.setHttpsConfigurator(new HttpsConfigurator(certificate.context(PinnedTrust.any())));
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, manner));
        server.start();
    }

    FanOut.Endpoint endpoint() {
        return new FanOut.Endpoint("127.0.0.1:" + server.getAddress().getPort(), certificate.digest(), "default");
    }

    int asked() {
        return asked.get();
    }

    private void answer(HttpExchange exchange, Manner manner) throws IOException {
        asked.incrementAndGet();
        List<String> wanted = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.US_ASCII)
                .lines()
                .toList();
        try (exchange) {
            switch (manner) {
                case REFUSES -> exchange.sendResponseHeaders(403, -1);
                case IS_BUSY -> exchange.sendResponseHeaders(503, -1);
                case CORRUPTS -> {
                    exchange.sendResponseHeaders(200, 0);
                    DataOutputStream out = new DataOutputStream(exchange.getResponseBody());
                    for (String chunk : wanted) {
                        out.writeInt(size(chunk));
                        out.write(new byte[size(chunk)]);
                    }
                    out.close();
                }
                case MISCOUNTS -> {
                    exchange.sendResponseHeaders(200, 0);
                    DataOutputStream out = new DataOutputStream(exchange.getResponseBody());
                    out.writeInt(size(wanted.getFirst()) + 1);
                    out.close();
                }
                case DIES, STALLS -> {
                    int size = size(wanted.getFirst());
                    exchange.sendResponseHeaders(200, 4L + size);
                    DataOutputStream out = new DataOutputStream(exchange.getResponseBody());
                    out.writeInt(size);
                    out.write(new byte[size / 2]);
                    out.flush();
                    while (manner == Manner.STALLS && !closed) {
                        Thread.sleep(20);
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static int size(String wanted) {
        return Integer.parseInt(wanted.substring(wanted.indexOf(' ') + 1));
    }

    @Override
    public void close() {
        closed = true;
        server.stop(0);
        threads.shutdownNow();
    }
}
