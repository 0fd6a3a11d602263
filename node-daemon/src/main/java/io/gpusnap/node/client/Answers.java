package io.gpusnap.node.client;

import java.net.http.HttpResponse;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/** Turns HTTP answers into values or typed errors. */
final class Answers {

    private final JsonMapper json;

    Answers(JsonMapper json) {
        this.json = json;
    }

    <T> T read(HttpResponse<String> response, Class<T> type) throws NodeApiException {
        check(response);
        try {
            return json.readValue(response.body(), type);
        } catch (JacksonException e) {
            throw new NodeApiException.Unavailable(
                    "the answer of " + response.uri() + " cannot be understood: " + e.getOriginalMessage(), e);
        }
    }

    void check(HttpResponse<String> response) throws NodeApiException {
        int status = response.statusCode();
        if (status / 100 == 2) {
            return;
        }
        Problem problem = problem(response);
        String text = problem.text();
        if ("STALE_SESSION".equals(problem.code()) || "NODE_NOT_FOUND".equals(problem.code())) {
            throw new NodeApiException.StaleSession(text);
        }
        switch (status) {
            case 409 -> throw new NodeApiException.Fenced(text, "OPERATION_FINISHED".equals(problem.code()));
            case 408, 425, 429 -> throw new NodeApiException.Unavailable(text, null);
            default -> {
                if (status >= 500) {
                    throw new NodeApiException.Unavailable(text, null);
                }
                throw new NodeApiException.Refused(text, status);
            }
        }
    }

    /** A proxy in between may answer something else than a problem: the status still counts. */
    private Problem problem(HttpResponse<String> response) {
        String type = response.headers().firstValue("Content-Type").orElse("");
        if (type.startsWith("application/problem+json")) {
            try {
                Problem said = json.readValue(response.body(), Problem.class);
                return new Problem(said.title(), response.statusCode(), said.detail(), said.code());
            } catch (JacksonException e) {
                return new Problem("an unreadable problem", response.statusCode(), null, null);
            }
        }
        return new Problem(null, response.statusCode(), null, null);
    }
}
