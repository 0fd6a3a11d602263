package io.gpusnap.service.rollout;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.springframework.stereotype.Component;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Asks the configured Prometheus, by its HTTP API version 1. The address is the operator's: callers choose queries, not
 * where they go.
 */
@Component
class PrometheusQueries {
    private final RolloutSettings settings;
    private final JsonMapper json;
    private final HttpClient http;

    PrometheusQueries(RolloutSettings settings, JsonMapper json) {
        this.settings = settings;
        this.json = json;
        this.http = HttpClient.newBuilder()
                .connectTimeout(settings.prometheusTimeout())
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    /** What a query gave. */
    sealed interface Answer {}

    /** One value. */
    record Value(double value) implements Answer {}

    /** None, and why: nothing matches, several match, no number, no answer. */
    record Nothing(String why) implements Answer {}

    boolean isConfigured() {
        return settings.prometheusUrl() != null;
    }

    /** The query's value now. */
    Answer ask(String query) throws InterruptedException {
        URI base = settings.prometheusUrl();
        if (base == null) {
            return new Nothing("no Prometheus is configured");
        }
        String address = base.toString().replaceAll("/+$", "") + "/api/v1/query?query="
                + URLEncoder.encode(query, StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(URI.create(address))
                .timeout(settings.prometheusTimeout())
                .header("Accept", "application/json")
                .build();
        try {
            HttpResponse<String> response = http.send(
                    request, HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofString(), 1 << 20));
            return read(json.readTree(response.body()), response.statusCode());
        } catch (IOException | JacksonException e) {
            return new Nothing("Prometheus gave no answer: " + e.getMessage());
        }
    }

    private static Answer read(JsonNode body, int status) {
        if (!"success".equals(body.path("status").asString(""))) {
            return new Nothing("Prometheus answered " + status + ": "
                    + Optional.of(body.path("error").asString(""))
                            .filter(error -> !error.isEmpty())
                            .orElse("no reason"));
        }
        JsonNode result = body.at("/data/result");
        return switch (body.at("/data/resultType").asString("")) {
            case "scalar" -> number(result.path(1).asString(""));
            case "vector" ->
                result.size() == 1
                        ? number(result.get(0).at("/value/1").asString(""))
                        : new Nothing("the query gave " + result.size() + " series instead of one");
            case String other -> new Nothing("the query gave a " + other + " instead of one value");
        };
    }

    private static Answer number(String text) {
        double value;
        try {
            value = switch (text) {
                case "+Inf" -> Double.POSITIVE_INFINITY;
                case "-Inf" -> Double.NEGATIVE_INFINITY;
                default -> Double.parseDouble(text);
            };
        } catch (NumberFormatException e) {
            return new Nothing("the query gave no number but " + text);
        }
        return Double.isNaN(value) ? new Nothing("the query gave NaN") : new Value(value);
    }
}
