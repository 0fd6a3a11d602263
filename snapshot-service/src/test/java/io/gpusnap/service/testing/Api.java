package io.gpusnap.service.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A caller with one token. Immutable: {@code with…} gives another caller. */
public final class Api {
    public static final JsonMapper JSON = JsonMapper.builder().build();
    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final String base;
    private final String token;
    private final List<String> headers;

    public Api(String base, String token) {
        this(base, token, List.of());
    }

    private Api(String base, String token, List<String> headers) {
        this.base = base;
        this.token = token;
        this.headers = headers;
    }

    /** What came back. */
    public record Reply(int status, java.net.http.HttpHeaders headers, String text) {
        public JsonNode json() {
            return JSON.readTree(text);
        }

        public String header(String name) {
            return headers.firstValue(name).orElse("");
        }

        /** The problem's code, or the whole text if it is none. */
        public String code() {
            return header("Content-Type").startsWith("application/problem+json")
                    ? json().path("code").asString()
                    : "no problem: " + status + " " + text;
        }

        public Reply expect(int expected) {
            if (status != expected) {
                throw new AssertionError("expected " + expected + ", got " + status + " " + text);
            }
            return this;
        }
    }

    public String token() {
        return token;
    }

    public String base() {
        return base;
    }

    public Api withToken(String other) {
        return new Api(base, other, headers);
    }

    /** Without an Authorization header. */
    public Api anonymous() {
        return withToken("");
    }

    public Api with(String header, String value) {
        List<String> more = new ArrayList<>(headers);
        more.add(header);
        more.add(value);
        return new Api(base, token, List.copyOf(more));
    }

    /** With a new idempotency key. */
    public Api once() {
        return with("Idempotency-Key", "\"" + UUID.randomUUID() + "\"");
    }

    public Reply get(String path) {
        return send("GET", path, HttpRequest.BodyPublishers.noBody());
    }

    public Reply delete(String path) {
        return send("DELETE", path, HttpRequest.BodyPublishers.noBody());
    }

    public Reply post(String path) {
        return send("POST", path, HttpRequest.BodyPublishers.noBody());
    }

    public Reply post(String path, Object body) {
        return json("POST", path, body);
    }

    public Reply patch(String path, Object body) {
        return json("PATCH", path, body);
    }

    public Reply put(String path, Object body) {
        return json("PUT", path, body);
    }

    private Reply json(String method, String path, Object body) {
        String text = body instanceof String raw ? raw : JSON.writeValueAsString(body);
        Api typed = headers.contains("Content-Type") ? this : with("Content-Type", "application/json");
        return typed.send(method, path, HttpRequest.BodyPublishers.ofString(text));
    }

    public Reply send(String method, String path, HttpRequest.BodyPublisher body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(Duration.ofSeconds(60))
                .method(method, body);
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        if (!headers.isEmpty()) {
            request.headers(headers.toArray(String[]::new));
        }
        try {
            HttpResponse<String> response = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Reply(response.statusCode(), response.headers(), response.body());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
