package io.gpusnap.node.agent;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The service's side of the node API, in memory, over real HTTP; can go down, forget sessions, and fence operations. */
final class FakeService implements AutoCloseable {

    static final String ACCESS_TOKEN = "access-token";

    private record Offer(UUID operation, String kind, Map<String, Object> request) {}

    private final JsonMapper json = JsonMapper.builder().build();
    private final int port;
    private final List<Offer> tasks = new ArrayList<>();
    private final Map<UUID, Long> epochs = new HashMap<>();
    private List<Map<String, Object>> endWorkloads = List.of();
    private List<String> coldPods = List.of();
    private final Set<UUID> cancelled = new HashSet<>();
    private final Map<UUID, JsonNode> completions = new HashMap<>();
    private final Map<UUID, JsonNode> lastProgress = new HashMap<>();
    private @Nullable HttpServer server;
    private @Nullable ExecutorService executor;
    private String session = "";
    private int registrations;
    private final List<JsonNode> heartbeats = new ArrayList<>();
    private Duration ahead = Duration.ZERO;
    int leaseSeconds = 30;

    FakeService() throws IOException {
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
    }

    URI uri() {
        return URI.create("http://127.0.0.1:" + port);
    }

    /** From now on its clock is so far ahead of this machine's. */
    synchronized void clockAhead(Duration difference) {
        ahead = difference;
    }

    void up() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 0);
        executor = Executors.newVirtualThreadPerTaskExecutor();
        server.setExecutor(executor);
        server.createContext("/", this::handle);
        server.start();
    }

    void down() {
        if (server != null) {
            server.stop(0);
            executor.shutdownNow();
            server = null;
        }
    }

    @Override
    public void close() {
        down();
    }

    /** Has an operation handed out at the next claim, again when it was already; returns the epoch it will have. */
    synchronized long offer(UUID operation, String kind, Map<String, Object> request) {
        tasks.add(new Offer(operation, kind, request));
        return epochs.getOrDefault(operation, 0L) + 1;
    }

    /** An operation that was handed out before this service started. */
    synchronized void knows(UUID operation, long epoch) {
        epochs.put(operation, epoch);
    }

    /** From now on the latest claim's epoch is over, without anybody else having it yet. */
    synchronized void fence(UUID operation) {
        epochs.merge(operation, 1L, Long::sum);
    }

    /** From now on every heartbeat is answered with this process, which is elsewhere by now. */
    synchronized void isElsewhere(int pid, long startTimeTicks) {
        endWorkloads = List.of(Map.of("pid", pid, "startTimeTicks", startTimeTicks));
    }

    /** From now on every heartbeat is answered with this pod, which nothing is thawed into any more. */
    synchronized void startsCold(String podUid) {
        coldPods = List.of(podUid);
    }

    synchronized void requestCancel(UUID operation) {
        cancelled.add(operation);
    }

    synchronized void forgetSession() {
        session = "forgotten";
    }

    synchronized int registrations() {
        return registrations;
    }

    synchronized @Nullable JsonNode completion(UUID operation) {
        return completions.get(operation);
    }

    synchronized @Nullable JsonNode progress(UUID operation) {
        return lastProgress.get(operation);
    }

    synchronized @Nullable JsonNode heartbeat() {
        return heartbeats.isEmpty() ? null : heartbeats.getLast();
    }

    /** In the order in which they came. */
    synchronized List<JsonNode> heartbeats() {
        return List.copyOf(heartbeats);
    }

    synchronized boolean nothingToHandOut() {
        return tasks.isEmpty();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] body = exchange.getRequestBody().readAllBytes();
            JsonNode request = body.length == 0 ? json.createObjectNode() : json.readTree(body);
            String[] path = exchange.getRequestURI().getPath().split("/");
            String token = String.valueOf(exchange.getRequestHeaders().getFirst("Authorization"));
            boolean registering = path.length == 4;
            if (!token.equals("Bearer " + (registering ? ACCESS_TOKEN : currentSession()))) {
                problem(exchange, 401, registering ? "UNAUTHENTICATED" : "STALE_SESSION");
                return;
            }
            switch (registering ? "register" : path[5]) {
                case "register" -> answer(exchange, 201, register());
                case "heartbeats" -> answer(exchange, 200, beat(request));
                case "claims" -> claim(exchange);
                case "progress" -> progress(exchange, UUID.fromString(path[4]), request);
                case "completion" -> complete(exchange, UUID.fromString(path[4]), request);
                default -> problem(exchange, 404, "NOT_FOUND");
            }
        }
    }

    private synchronized String currentSession() {
        return session;
    }

    private synchronized Map<String, Object> register() {
        registrations++;
        session = "session-" + registrations;
        return Map.of(
                "nodeId",
                "node-1",
                "sessionToken",
                session,
                "epoch",
                registrations,
                "heartbeatSeconds",
                1,
                "pollSeconds",
                1,
                "leaseSeconds",
                leaseSeconds);
    }

    private synchronized Map<String, Object> beat(JsonNode request) {
        heartbeats.add(request);
        List<String> fenced = new ArrayList<>();
        for (JsonNode held : request.path("runningOperations")) {
            UUID id = UUID.fromString(held.path("operationId").asString());
            if (epochs.getOrDefault(id, 0L) != held.path("epoch").asLong()) {
                fenced.add(id.toString());
            }
        }
        return Map.of(
                "serverTime",
                Instant.now().plus(ahead),
                "cancelOperations",
                cancelled,
                "fencedOperations",
                fenced,
                "endWorkloads",
                endWorkloads,
                "coldPods",
                coldPods);
    }

    private void claim(HttpExchange exchange) throws IOException {
        for (int i = 0; i < 20; i++) {
            synchronized (this) {
                String query = String.valueOf(exchange.getRequestURI().getQuery());
                Optional<Offer> next = tasks.stream()
                        .filter(offer -> List.of(query.split("&")).contains("kinds=" + offer.kind()))
                        .findFirst();
                if (next.isPresent()) {
                    tasks.remove(next.get());
                    answer(exchange, 200, handOut(next.get()));
                    return;
                }
            }
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
        exchange.sendResponseHeaders(204, -1);
    }

    private Map<String, Object> handOut(Offer offer) {
        long epoch = epochs.merge(offer.operation(), 1L, Long::sum);
        return Map.of(
                "operationId",
                offer.operation(),
                "epoch",
                epoch,
                "attempt",
                epoch,
                "leaseUntil",
                Instant.now(),
                "kind",
                offer.kind(),
                offer.kind().toLowerCase(Locale.ROOT),
                offer.request());
    }

    private synchronized void progress(HttpExchange exchange, UUID operation, JsonNode request) throws IOException {
        if (fenced(exchange, operation, request)) {
            return;
        }
        lastProgress.put(operation, request);
        answer(exchange, 200, Map.of("cancelRequested", cancelled.contains(operation), "leaseUntil", Instant.now()));
    }

    private synchronized void complete(HttpExchange exchange, UUID operation, JsonNode request) throws IOException {
        if (!fenced(exchange, operation, request)) {
            completions.put(operation, request);
            exchange.sendResponseHeaders(204, -1);
        }
    }

    private boolean fenced(HttpExchange exchange, UUID operation, JsonNode request) throws IOException {
        Long epoch = epochs.get(operation);
        if (epoch == null) {
            problem(exchange, 404, "OPERATION_NOT_FOUND");
        } else if (epoch != request.path("epoch").asLong()) {
            problem(exchange, 409, "STALE_EPOCH");
        } else {
            return false;
        }
        return true;
    }

    private void problem(HttpExchange exchange, int status, String code) throws IOException {
        send(exchange, status, "application/problem+json", Map.of("status", status, "code", code, "detail", "no"));
    }

    private void answer(HttpExchange exchange, int status, Object body) throws IOException {
        send(exchange, status, "application/json", body);
    }

    private void send(HttpExchange exchange, int status, String type, Object body) throws IOException {
        byte[] bytes = json.writeValueAsString(body).getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }
}
