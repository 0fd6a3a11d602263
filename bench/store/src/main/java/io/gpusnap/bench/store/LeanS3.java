package io.gpusnap.bench.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * As little of an S3 server as the two clients need: objects in memory, no signatures looked at, no digests computed. It is there
 * so that the client is what limits, and for nothing else. On loopback only.
 */
public final class LeanS3 {

    private static final int BACKLOG = 1024;
    private static final int OK = 200;
    private static final int NO_CONTENT = 204;
    private static final int PARTIAL = 206;
    private static final int NOT_FOUND = 404;
    private static final int EXISTS = 412;

    private final LeanObjects objects = new LeanObjects();

    private LeanS3() {}

    /** @param arguments the port */
    public static void main(String[] arguments) throws IOException {
        HttpServer server = HttpServer.create(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(arguments[0])), BACKLOG);
        server.setExecutor(Executors.newCachedThreadPool());
        LeanS3 lean = new LeanS3();
        server.createContext("/", exchange -> {
            try (exchange) {
                lean.answer(exchange);
            }
        });
        server.start();
    }

    private void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath().substring(1);
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        boolean bucket = path.indexOf('/') < 0 || path.endsWith("/");
        switch (exchange.getRequestMethod()) {
            case "PUT" -> put(exchange, path, query, bucket);
            case "POST" -> post(exchange, path, query);
            case "DELETE" -> {
                objects.delete(path);
                empty(exchange, NO_CONTENT);
            }
            case "HEAD" -> head(exchange, path, bucket);
            default -> get(exchange, path, query, bucket);
        }
    }

    private void put(HttpExchange exchange, String path, Map<String, String> query, boolean bucket) throws IOException {
        if (bucket) {
            empty(exchange, OK);
            return;
        }
        if (exchange.getRequestHeaders().containsKey("If-None-Match") && objects.find(path) != null) {
            exchange.getRequestBody().skip(Long.MAX_VALUE);
            empty(exchange, EXISTS);
            return;
        }
        String decoded = exchange.getRequestHeaders().getFirst("x-amz-decoded-content-length");
        InputStream body = decoded == null ? exchange.getRequestBody() : new AwsChunks(exchange.getRequestBody());
        String length = decoded == null ? exchange.getRequestHeaders().getFirst("Content-Length") : decoded;
        MemorySegment content = LeanObjects.read(body, Long.parseLong(length));
        if (query.containsKey("uploadId")) {
            objects.part(required(query, "uploadId"), Integer.parseInt(required(query, "partNumber")), content);
        } else {
            objects.put(path, content);
        }
        exchange.getResponseHeaders().set("ETag", LeanObjects.TAG);
        empty(exchange, OK);
    }

    private void post(HttpExchange exchange, String path, Map<String, String> query) throws IOException {
        exchange.getRequestBody().readAllBytes();
        if (query.containsKey("uploads")) {
            xml(
                    exchange,
                    "<InitiateMultipartUploadResult><UploadId>" + objects.begin() + "</UploadId>"
                            + "</InitiateMultipartUploadResult>");
            return;
        }
        objects.complete(path, required(query, "uploadId"));
        xml(exchange, "<CompleteMultipartUploadResult><ETag>&quot;lean-1&quot;</ETag></CompleteMultipartUploadResult>");
    }

    private void head(HttpExchange exchange, String path, boolean bucket) throws IOException {
        LeanObjects.Whole found = objects.find(path);
        if (bucket || found != null) {
            describe(exchange);
            exchange.getResponseHeaders().set("Content-Length", Long.toString(found == null ? 0 : found.sizeBytes()));
        }
        exchange.sendResponseHeaders(bucket || found != null ? OK : NOT_FOUND, -1);
    }

    private void get(HttpExchange exchange, String path, Map<String, String> query, boolean bucket) throws IOException {
        if (bucket) {
            list(exchange, path, query);
            return;
        }
        if (query.containsKey("uploadId")) {
            xml(exchange, "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>");
            return;
        }
        LeanObjects.Whole found = objects.find(path);
        if (found == null) {
            exchange.getResponseHeaders().set("Content-Type", "application/xml");
            bytes(exchange, NOT_FOUND, "<Error><Code>NoSuchKey</Code></Error>");
            return;
        }
        describe(exchange);
        String range = exchange.getRequestHeaders().getFirst("Range");
        long from = 0;
        long to = found.sizeBytes() - 1;
        if (range != null) {
            String[] ends = range.substring("bytes=".length()).split("-", -1);
            from = Long.parseLong(ends[0]);
            to = ends[1].isEmpty() ? to : Math.min(to, Long.parseLong(ends[1]));
            exchange.getResponseHeaders().set("Content-Range", "bytes %d-%d/%d".formatted(from, to, found.sizeBytes()));
        }
        exchange.sendResponseHeaders(range == null ? OK : PARTIAL, to == from - 1 ? -1 : to - from + 1);
        found.write(from, to + 1 - from, exchange.getResponseBody());
    }

    private void list(HttpExchange exchange, String bucket, Map<String, String> query) throws IOException {
        if (query.containsKey("uploads")) {
            xml(exchange, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
            return;
        }
        String name = bucket.replaceAll("/.*", "");
        String entries = objects.under(name + "/" + query.getOrDefault("prefix", "")).entrySet().stream()
                .map(entry -> "<Contents><Key>%s</Key><Size>%d</Size><ETag>&quot;lean-1&quot;</ETag>"
                                .formatted(entry.getKey().substring(name.length() + 1), entry.getValue())
                        + "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>")
                .collect(Collectors.joining());
        xml(
                exchange,
                "<ListBucketResult><Name>%s</Name><IsTruncated>false</IsTruncated>%s</ListBucketResult>"
                        .formatted(name, entries));
    }

    private static void describe(HttpExchange exchange) {
        exchange.getResponseHeaders().set("ETag", LeanObjects.TAG);
        exchange.getResponseHeaders().set("Accept-Ranges", "bytes");
        exchange.getResponseHeaders().set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
    }

    private static void xml(HttpExchange exchange, String text) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "application/xml");
        bytes(exchange, OK, text);
    }

    private static void bytes(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static void empty(HttpExchange exchange, int status) throws IOException {
        exchange.sendResponseHeaders(status, -1);
    }

    private static String required(Map<String, String> query, String name) {
        return Objects.requireNonNull(query.get(name), name);
    }

    private static Map<String, String> query(@Nullable String raw) {
        Map<String, String> query = new HashMap<>();
        if (raw != null) {
            for (String pair : raw.split("&", -1)) {
                String[] parts = pair.split("=", 2);
                query.put(parts[0], parts.length == 2 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
            }
        }
        return query;
    }
}
