package io.gpusnap.demo;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.JsonNode;

/** A caller of {@code samples/cuda-server}. Every call is a connection of its own, so that no freeze finds one open. */
final class SampleServer {

    private static final long POLL_MILLIS = 5;
    private static final int CONNECT_MILLIS = 2_000;
    private static final int ANSWER_MILLIS = 120_000;

    private final URI base;

    SampleServer(int port) {
        this(URI.create("http://127.0.0.1:" + port));
    }

    SampleServer(URI base) {
        this.base = base;
    }

    URI base() {
        return base;
    }

    /** Answers the next request; the server's state moves on by one. */
    JsonNode ask(String prompt) {
        return get("/answer?prompt=" + URLEncoder.encode(prompt, StandardCharsets.UTF_8))
                .orElseThrow(() -> new DemoFailure("the server at " + base + " does not answer"));
    }

    /** Asks until the server answers, also while it does not exist yet. {@code watch} throws when waiting is in vain. */
    JsonNode askUntilAnswered(String prompt, int seconds, Runnable watch) {
        String path = "/answer?prompt=" + URLEncoder.encode(prompt, StandardCharsets.UTF_8);
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < deadline) {
            Optional<JsonNode> answer = get(path);
            if (answer.isPresent()) {
                return answer.get();
            }
            watch.run();
            Pause.millis(POLL_MILLIS);
        }
        throw new DemoFailure("no answer from " + base + " within " + seconds + " s");
    }

    /** Whether anything accepts connections there. */
    boolean listens() {
        return get("/ready").isPresent();
    }

    private Optional<JsonNode> get(String path) {
        try {
            HttpURLConnection connection =
                    (HttpURLConnection) base.resolve(path).toURL().openConnection();
            connection.setRequestProperty("Connection", "close");
            connection.setConnectTimeout(CONNECT_MILLIS);
            connection.setReadTimeout(ANSWER_MILLIS);
            if (connection.getResponseCode() != HttpURLConnection.HTTP_OK) {
                return Optional.empty();
            }
            try (InputStream body = connection.getInputStream()) {
                return Optional.of(ControlPlane.JSON.readTree(body.readAllBytes()));
            }
        } catch (IOException notYet) {
            return Optional.empty();
        }
    }
}
