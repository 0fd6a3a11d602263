package io.gpusnap.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The REST API under {@code /api/v1}, as any caller sees it. */
final class ControlPlane {

    static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    private final URI base;
    private final String token;
    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();

    ControlPlane(URI base, String token) {
        this.base = base;
        this.token = token;
    }

    URI base() {
        return base;
    }

    String token() {
        return token;
    }

    JsonNode get(String path) {
        return call(request(path).GET());
    }

    /** Creates something; every call is a new one (its own Idempotency-Key). */
    JsonNode post(String path, Object body) {
        return call(request(path)
                .header("Content-Type", "application/json")
                .header("Idempotency-Key", "\"" + UUID.randomUUID() + "\"")
                .POST(HttpRequest.BodyPublishers.ofString(JSON.writeValueAsString(body))));
    }

    /** The items of a list's first page. */
    List<JsonNode> items(String path) {
        List<JsonNode> items = new ArrayList<>();
        get(path).path("items").forEach(items::add);
        return items;
    }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(base.resolve("/api/v1" + path))
                .timeout(TIMEOUT)
                .header("Authorization", "Bearer " + token)
                .header("Accept", "application/json");
    }

    private JsonNode call(HttpRequest.Builder builder) {
        HttpRequest request = builder.build();
        String place = request.method() + " " + request.uri();
        try {
            HttpResponse<String> answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            if (answer.statusCode() >= 400) {
                throw new DemoFailure(place + ": " + problem(answer));
            }
            return JSON.readTree(answer.body());
        } catch (IOException e) {
            throw new DemoFailure(place + ": " + e, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new DemoFailure("interrupted", e);
        }
    }

    private static String problem(HttpResponse<String> answer) {
        try {
            JsonNode problem = JSON.readTree(answer.body());
            return "%d %s: %s"
                    .formatted(
                            answer.statusCode(),
                            problem.path("code").asString(""),
                            problem.path("detail")
                                    .asString(problem.path("title").asString("")));
        } catch (JacksonException e) {
            return answer.statusCode() + " " + answer.body();
        }
    }
}
