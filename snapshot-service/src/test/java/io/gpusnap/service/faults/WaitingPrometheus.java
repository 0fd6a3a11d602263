package io.gpusnap.service.faults;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;

/** What looks like a Prometheus, and answers each question when the test lets it. Queries are single words. */
final class WaitingPrometheus implements AutoCloseable {
    private final HttpServer server;
    private final Map<String, List<CompletableFuture<String>>> asked = new HashMap<>();
    private final Map<String, String> known = new HashMap<>();

    private WaitingPrometheus(HttpServer server) {
        this.server = server;
    }

    static WaitingPrometheus start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        WaitingPrometheus prometheus = new WaitingPrometheus(server);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", prometheus::handle);
        server.start();
        return prometheus;
    }

    private void handle(HttpExchange exchange) throws IOException {
        String query = exchange.getRequestURI().getQuery().replaceFirst("^query=", "");
        String value = question(query).join();
        byte[] body = "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[0,\"%s\"]}}"
                .formatted(value)
                .getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private synchronized CompletableFuture<String> question(String query) {
        CompletableFuture<String> question = new CompletableFuture<>();
        asked.computeIfAbsent(query, none -> new ArrayList<>()).add(question);
        if (known.containsKey(query)) {
            question.complete(known.get(query));
        }
        return question;
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    /** How often it was asked. */
    synchronized int asked(String query) {
        return asked.getOrDefault(query, List.of()).size();
    }

    /** Answers the first who asked, and nobody else. */
    synchronized void answerFirst(String query, String value) {
        asked.get(query).getFirst().complete(value);
    }

    /** Answers all who wait, and whoever asks from now on. */
    synchronized void answer(String query, String value) {
        known.put(query, value);
        asked.getOrDefault(query, List.of()).forEach(question -> question.complete(value));
    }

    @Override
    public synchronized void close() {
        asked.values().forEach(questions -> questions.forEach(question -> question.complete("NaN")));
        server.stop(0);
    }
}
