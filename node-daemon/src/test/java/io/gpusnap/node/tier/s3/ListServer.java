package io.gpusnap.node.tier.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;

/** A bucket of more objects than a test could put: it lists them as S3 does, a thousand at most a request, and counts. */
final class ListServer implements AutoCloseable {

    private static final int MOST_KEYS = 1000;

    /** What is odd about a server. */
    enum Oddity {
        NONE,
        BACKWARDS,
        EMPTY_AND_MORE
    }

    private final HttpServer server;
    private final NavigableSet<String> keys;
    private final Oddity oddity;
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger listed = new AtomicInteger();

    ListServer(Collection<String> keys, Oddity oddity) throws IOException {
        this.keys = oddity == Oddity.BACKWARDS ? new TreeSet<>(keys).descendingSet() : new TreeSet<>(keys);
        this.oddity = oddity;
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> {
            try (exchange) {
                answer(exchange);
            }
        });
        server.start();
    }

    S3Store store() {
        return new S3Store(S3Server.settings(
                "bucket", URI.create("http://127.0.0.1:" + server.getAddress().getPort())));
    }

    /** For lists. */
    int requests() {
        return requests.get();
    }

    /** Names in its answers. */
    int listed() {
        return listed.get();
    }

    private void answer(HttpExchange exchange) throws IOException {
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        requests.incrementAndGet();
        // A token is the name that it goes on after.
        String after = query.getOrDefault("continuation-token", query.getOrDefault("start-after", ""));
        int most = Math.min(MOST_KEYS, Integer.parseInt(query.getOrDefault("max-keys", "1000")));
        List<String> left = rest(after).stream()
                .filter(key -> key.startsWith(query.getOrDefault("prefix", "")))
                .toList();
        List<String> part = oddity == Oddity.EMPTY_AND_MORE ? List.of() : left.subList(0, Math.min(most, left.size()));
        boolean more = part.size() < left.size();
        listed.addAndGet(part.size());
        String contents = part.stream()
                .map(key ->
                        "<Contents><Key>%s</Key><Size>7</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
                                .formatted(key))
                .collect(Collectors.joining());
        String token =
                more && !part.isEmpty() ? "<NextContinuationToken>" + part.getLast() + "</NextContinuationToken>" : "";
        byte[] body = "<ListBucketResult><Name>bucket</Name><IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>"
                .formatted(more, token, contents)
                .getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
    }

    /** A server that lists in another order begins after a name in its own. */
    private Collection<String> rest(String after) {
        return after.isEmpty() ? keys : keys.tailSet(after, false);
    }

    private static Map<String, String> query(String raw) {
        Map<String, String> query = new HashMap<>();
        for (String pair : raw.split("&", -1)) {
            String[] parts = pair.split("=", 2);
            query.put(parts[0], parts.length == 2 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
        }
        return query;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
