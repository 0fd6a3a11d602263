package io.gpusnap.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A caller of one instance. */
final class Http {
    static final JsonMapper JSON = JsonMapper.builder().build();
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final String base;
    private final Path tokenFile;
    private final String token;

    /** @param tokenFile read at each call, since the service writes it when it starts */
    Http(String base, Path tokenFile) {
        this(base, tokenFile, "");
    }

    private Http(String base, Path tokenFile, String token) {
        this.base = base;
        this.tokenFile = tokenFile;
        this.token = token;
    }

    /** The same instance with another token. */
    Http as(String other) {
        return new Http(base, tokenFile, other);
    }

    String token() {
        return token;
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return CLIENT.send(request(path).build(), HttpResponse.BodyHandlers.ofString());
    }

    HttpResponse<String> post(String path, String body) throws IOException, InterruptedException {
        return CLIENT.send(
                request(path)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", "\"" + UUID.randomUUID() + "\"")
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    /** @throws IllegalStateException if the status is another one */
    JsonNode post(String path, String body, int expected) throws IOException, InterruptedException {
        HttpResponse<String> response = post(path, body);
        if (response.statusCode() != expected) {
            throw new IllegalStateException("POST " + path + ": " + response.statusCode() + " " + response.body());
        }
        return JSON.readTree(response.body().isEmpty() ? "{}" : response.body());
    }

    private HttpRequest.Builder request(String path) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + path));
        String bearer = token.isEmpty() && Files.isReadable(tokenFile)
                ? Files.readString(tokenFile).strip()
                : token;
        return bearer.isEmpty() ? request : request.header("Authorization", "Bearer " + bearer);
    }
}
