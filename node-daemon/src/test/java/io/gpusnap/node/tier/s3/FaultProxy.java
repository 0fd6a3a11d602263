package io.gpusnap.node.tier.s3;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.awaitility.Awaitility;

/** Stands before a real S3 server and spoils what a test tells it to. */
public final class FaultProxy implements AutoCloseable {

    /**
     * One request, as "PUT /bucket/key?partNumber=1…".
     *
     * @param conditional only if there is no such object
     * @param range what is asked for of an object; empty: all of it
     */
    public record Seen(String method, String path, String query, boolean conditional, String range) {

        public boolean isPart() {
            return method.equals("PUT") && query.contains("partNumber=");
        }

        public boolean isComplete() {
            return method.equals("POST") && query.contains("uploadId=");
        }

        public boolean isGet() {
            return method.equals("GET") && query.isEmpty();
        }
    }

    /** What happens in the middle of a request; its failure is the server's. */
    @FunctionalInterface
    public interface Interruption {
        void reached() throws IOException;
    }

    public sealed interface Fault {
        record None() implements Fault {}

        /** Answers without asking the server. */
        record Status(int code) implements Fault {}

        /** 200 and an error in the body, without asking the server. */
        record ErrorBody() implements Fault {}

        /** So many bytes of the server's body, then the connection ends. */
        record Truncate(int bytes) implements Fault {}

        /** So many bytes of the server's body, then nothing for as long as the proxy lives. */
        record Stall(int bytes) implements Fault {}

        /** Takes the request, and says nothing for as long as the proxy lives. */
        record Silence() implements Fault {}

        record FlipBit() implements Fault {}

        /** Says that it is another range than was asked for. */
        record OtherRange() implements Fault {}

        /** The whole object with status 200, in place of a range. */
        record WholeObject() implements Fault {}

        /** The server does it, and its answer is lost. */
        record LoseAnswer() implements Fault {}

        record Redirect(String to) implements Fault {}

        /** None, but the server has one of these at a time. */
        record InTurn() implements Fault {}

        /** The server has half of the request's body when this happens; then it gets the request anew, unless this fails. */
        record Middle(Interruption what) implements Fault {}
    }

    private static final Set<String> NOT_FORWARDED =
            Set.of("host", "content-length", "connection", "expect", "upgrade", "transfer-encoding");

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newHttpClient();
    private final URI target;
    private final List<Seen> seen = new CopyOnWriteArrayList<>();
    private volatile Function<Seen, Fault> faults = request -> new Fault.None();
    private final AtomicInteger underWay = new AtomicInteger();
    private final ReentrantLock turn = new ReentrantLock();
    private final LongAdder sentBytes = new LongAdder();
    private volatile boolean closed;

    public FaultProxy(URI target) throws IOException {
        this.target = target;
        this.server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    public void spoil(Function<Seen, Fault> how) {
        faults = how;
    }

    public List<Seen> seen() {
        return seen;
    }

    /** Returns when the server has had all that was sent to it, also by a client that is gone. */
    public void awaitRest() {
        Awaitility.await().until(() -> underWay.get() == 0);
    }

    private void handle(HttpExchange exchange) throws IOException {
        underWay.incrementAndGet();
        try {
            serve(exchange);
        } finally {
            underWay.decrementAndGet();
        }
    }

    private void serve(HttpExchange exchange) throws IOException {
        URI uri = exchange.getRequestURI();
        Seen request = new Seen(
                exchange.getRequestMethod(),
                uri.getPath(),
                uri.getQuery() == null ? "" : uri.getQuery(),
                exchange.getRequestHeaders().containsKey("If-None-Match"),
                exchange.getRequestHeaders().getOrDefault("Range", List.of("")).getFirst());
        byte[] body = exchange.getRequestBody().readAllBytes();
        seen.add(request);
        try (exchange) {
            answer(exchange, faults.apply(request), body);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void answer(HttpExchange exchange, Fault fault, byte[] body) throws IOException, InterruptedException {
        switch (fault) {
            case Fault.Status status -> exchange.sendResponseHeaders(status.code(), -1);
            case Fault.Redirect redirect -> {
                exchange.getResponseHeaders().set("Location", redirect.to());
                exchange.sendResponseHeaders(307, -1);
            }
            case Fault.ErrorBody e -> {
                byte[] text = "<?xml version=\"1.0\"?><Error><Code>InternalError</Code><Message>no</Message></Error>"
                        .getBytes(StandardCharsets.UTF_8);
                exchange.getResponseHeaders().set("Content-Type", "application/xml");
                exchange.sendResponseHeaders(200, text.length);
                exchange.getResponseBody().write(text);
            }
            case Fault.WholeObject w -> send(exchange, forward(exchange, body, false), 200, Integer.MAX_VALUE);
            case Fault.LoseAnswer l -> forward(exchange, body, true);
            case Fault.None n -> relay(exchange, forward(exchange, body, true));
            case Fault.InTurn t -> {
                turn.lockInterruptibly();
                try {
                    relay(exchange, forward(exchange, body, true));
                } finally {
                    turn.unlock();
                }
            }
            case Fault.Middle middle -> {
                if (isHalfSent(exchange, body, middle.what())) {
                    relay(exchange, forward(exchange, body, true));
                } else {
                    exchange.sendResponseHeaders(503, -1);
                }
            }
            case Fault.FlipBit f -> {
                HttpResponse<byte[]> answer = forward(exchange, body, true);
                if (answer.body().length > 0) {
                    answer.body()[answer.body().length / 2] ^= 1;
                }
                relay(exchange, answer);
            }
            case Fault.OtherRange o -> {
                HttpResponse<byte[]> answer = forward(exchange, body, true);
                exchange.getResponseHeaders().set("Content-Range", "bytes 1-" + answer.body().length + "/99999999");
                send(exchange, answer, answer.statusCode(), Integer.MAX_VALUE);
            }
            case Fault.Truncate truncate -> {
                HttpResponse<byte[]> answer = forward(exchange, body, true);
                send(exchange, answer, answer.statusCode(), truncate.bytes());
            }
            case Fault.Stall stall -> {
                HttpResponse<byte[]> answer = forward(exchange, body, true);
                headers(exchange, answer);
                exchange.sendResponseHeaders(answer.statusCode(), answer.body().length);
                OutputStream out = exchange.getResponseBody();
                out.write(answer.body(), 0, Math.min(stall.bytes(), answer.body().length));
                out.flush();
                awaitClosed();
            }
            case Fault.Silence s -> awaitClosed();
        }
    }

    private void awaitClosed() throws InterruptedException {
        while (!closed) {
            Thread.sleep(20);
        }
    }

    /** @return false where what happened then was a failure */
    private boolean isHalfSent(HttpExchange exchange, byte[] body, Interruption what) throws IOException {
        StringBuilder head = new StringBuilder();
        head.append(exchange.getRequestMethod())
                .append(' ')
                .append(exchange.getRequestURI())
                .append(" HTTP/1.1\r\nHost: ")
                .append(target.getAuthority())
                .append("\r\nContent-Length: ")
                .append(body.length)
                .append("\r\n");
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!NOT_FORWARDED.contains(name.toLowerCase(java.util.Locale.ROOT))) {
                values.forEach(
                        value -> head.append(name).append(": ").append(value).append("\r\n"));
            }
        });
        try (Socket server = new Socket(target.getHost(), target.getPort())) {
            OutputStream out = server.getOutputStream();
            out.write(head.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
            out.write(body, 0, body.length / 2);
            out.flush();
            what.reached();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body, boolean withRange)
            throws IOException, InterruptedException {
        URI uri = exchange.getRequestURI();
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(
                        target + uri.getRawPath() + (uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery())))
                .method(
                        exchange.getRequestMethod(),
                        body.length == 0
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(body));
        exchange.getRequestHeaders().forEach((name, values) -> {
            String lower = name.toLowerCase(java.util.Locale.ROOT);
            if (!NOT_FORWARDED.contains(lower) && (withRange || !lower.equals("range"))) {
                values.forEach(value -> request.header(name, value));
            }
        });
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static void headers(HttpExchange exchange, HttpResponse<byte[]> answer) {
        answer.headers().map().forEach((name, values) -> {
            if (!NOT_FORWARDED.contains(name) && !exchange.getResponseHeaders().containsKey(name)) {
                exchange.getResponseHeaders().put(name, values);
            }
        });
    }

    /** Of bodies, to all clients together. */
    public long sentBytes() {
        return sentBytes.sum();
    }

    private void relay(HttpExchange exchange, HttpResponse<byte[]> answer) throws IOException {
        send(exchange, answer, answer.statusCode(), Integer.MAX_VALUE);
    }

    private void send(HttpExchange exchange, HttpResponse<byte[]> answer, int status, int mostBytes)
            throws IOException {
        headers(exchange, answer);
        byte[] body = answer.body();
        if (exchange.getRequestMethod().equals("HEAD")) {
            answer.headers()
                    .firstValue("content-length")
                    .ifPresent(length -> exchange.getResponseHeaders().set("Content-Length", length));
        }
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            byte[] sent = mostBytes < body.length ? Arrays.copyOf(body, mostBytes) : body;
            sentBytes.add(sent.length);
            exchange.getResponseBody().write(sent);
        }
    }

    @Override
    public void close() {
        closed = true;
        server.stop(0);
        threads.shutdownNow();
        client.close();
    }
}
