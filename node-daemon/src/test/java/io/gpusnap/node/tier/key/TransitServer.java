package io.gpusnap.node.tier.key;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Speaks as much of the API of a transit engine as daemons use, over real HTTP and with real encryption; it fails as it is told. */
final class TransitServer implements AutoCloseable {

    static final String TOKEN = "s.first";
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final int NONCE_BYTES = 12;

    private final HttpServer server;
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private final SecretKeySpec key;
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final Deque<Answer> failures = new ArrayDeque<>();
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile String token = TOKEN;

    /** What comes instead of the right answer. */
    @FunctionalInterface
    interface Answer {
        void to(HttpExchange exchange) throws IOException;
    }

    TransitServer() throws IOException {
        byte[] secret = new byte[32];
        new SecureRandom().nextBytes(secret);
        key = new SecretKeySpec(secret, "AES");
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::handle);
        server.setExecutor(threads);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** Paths, in the order in which they were asked for. */
    List<String> requests() {
        return List.copyOf(requests);
    }

    /** Of the next requests, one each. */
    synchronized void fails(Answer... answers) {
        failures.addAll(Arrays.asList(answers));
    }

    void takesOnly(String other) {
        token = other;
    }

    static Answer status(int code) {
        return exchange -> reply(exchange, code, Map.of("errors", List.of("as the test wants it")));
    }

    /** Until the server is closed. */
    Answer silence() {
        return exchange -> await();
    }

    /** A body that begins, and goes no further. */
    Answer stall() {
        return exchange -> {
            exchange.sendResponseHeaders(200, 1000);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            await();
        };
    }

    static Answer raw(String body) {
        return exchange -> {
            byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        };
    }

    static Answer endless() {
        return exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try (OutputStream body = exchange.getResponseBody()) {
                for (int i = 0; i < 1 << 20; i++) {
                    body.write(new byte[1024]);
                }
            }
        };
    }

    static Answer redirect(URI elsewhere) {
        return exchange -> {
            exchange.getResponseHeaders().set("Location", elsewhere.toString());
            exchange.sendResponseHeaders(307, -1);
            exchange.close();
        };
    }

    private void await() {
        try {
            end.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Answer next() {
        Answer failure = failures.poll();
        return failure == null ? this::answer : failure;
    }

    private void handle(HttpExchange exchange) throws IOException {
        requests.add(exchange.getRequestURI().getPath());
        next().to(exchange);
    }

    private void answer(HttpExchange exchange) throws IOException {
        JsonNode body = JSON.readTree(exchange.getRequestBody().readAllBytes());
        if (!token.equals(exchange.getRequestHeaders().getFirst("X-Vault-Token"))) {
            reply(exchange, 403, Map.of("errors", List.of("permission denied")));
            return;
        }
        byte[] context = Base64.getDecoder().decode(body.path("associated_data").asString());
        switch (exchange.getRequestURI().getPath()) {
            case "/v1/transit/encrypt/gpusnap" -> {
                byte[] nonce = new byte[NONCE_BYTES];
                new SecureRandom().nextBytes(nonce);
                byte[] sealed = crypt(Cipher.ENCRYPT_MODE, nonce, decoded(body, "plaintext"), context);
                byte[] whole = Arrays.copyOf(nonce, NONCE_BYTES + sealed.length);
                System.arraycopy(sealed, 0, whole, NONCE_BYTES, sealed.length);
                reply(
                        exchange,
                        200,
                        Map.of(
                                "data",
                                Map.of(
                                        "ciphertext",
                                        "vault:v1:" + Base64.getEncoder().encodeToString(whole))));
            }
            case "/v1/transit/decrypt/gpusnap" -> {
                byte[] whole = Base64.getDecoder()
                        .decode(body.path("ciphertext").asString().substring("vault:v1:".length()));
                byte[] plain = crypt(
                        Cipher.DECRYPT_MODE,
                        Arrays.copyOf(whole, NONCE_BYTES),
                        Arrays.copyOfRange(whole, NONCE_BYTES, whole.length),
                        context);
                if (plain.length == 0) {
                    reply(exchange, 400, Map.of("errors", List.of("cipher: message authentication failed")));
                } else {
                    reply(
                            exchange,
                            200,
                            Map.of(
                                    "data",
                                    Map.of("plaintext", Base64.getEncoder().encodeToString(plain))));
                }
            }
            default -> reply(exchange, 404, Map.of("errors", List.of()));
        }
    }

    private static byte[] decoded(JsonNode body, String member) {
        return Base64.getDecoder().decode(body.path(member).asString());
    }

    /** Nothing where it does not open. */
    private byte[] crypt(int mode, byte[] nonce, byte[] input, byte[] context) {
        try {
            Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
            cipher.init(mode, key, new GCMParameterSpec(128, nonce));
            cipher.updateAAD(context);
            return cipher.doFinal(input);
        } catch (GeneralSecurityException e) {
            return new byte[0];
        }
    }

    private static void reply(HttpExchange exchange, int status, Map<String, Object> body) throws IOException {
        byte[] bytes = JSON.writeValueAsBytes(body);
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        end.countDown();
        server.stop(0);
        threads.shutdownNow();
    }
}
