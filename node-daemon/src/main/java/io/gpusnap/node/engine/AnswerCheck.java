package io.gpusnap.node.engine;

import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/** Asks a process its recorded prompt. That it does not answer yet is borne for a while; a wrong answer is not. */
final class AnswerCheck {

    private static final int LONGEST_ANSWER = 1 << 20;
    private static final int SHOWN = 200;
    private static final long PAUSE_MILLIS = 50;

    private AnswerCheck() {}

    /** @throws StageException ANSWER_WRONG with what was expected and what came */
    static void ask(AnswerProbe probe, String host, int port) throws StageException, InterruptedException {
        long deadline = System.nanoTime() + probe.limit().toNanos();
        try (HttpClient http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(probe.limit())
                .build()) {
            while (true) {
                Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
                try {
                    judge(probe, http.send(request(probe, host, port, left), body()));
                    return;
                } catch (IOException e) {
                    if (System.nanoTime() >= deadline) {
                        throw new StageException(
                                FailureCode.ANSWER_WRONG,
                                "the process gave no answer on port %d within %d s: %s"
                                        .formatted(port, probe.limit().toSeconds(), e));
                    }
                }
                Thread.sleep(PAUSE_MILLIS);
            }
        }
    }

    private static HttpRequest request(AnswerProbe probe, String host, int port, Duration left) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://" + host + ":" + port + probe.path()))
                .timeout(left);
        return probe.body()
                .map(body -> request.header("Content-Type", probe.contentType())
                        .POST(HttpRequest.BodyPublishers.ofString(body)))
                .orElse(request)
                .build();
    }

    private static HttpResponse.BodyHandler<String> body() {
        return HttpResponse.BodyHandlers.limiting(HttpResponse.BodyHandlers.ofString(), LONGEST_ANSWER);
    }

    private static void judge(AnswerProbe probe, HttpResponse<String> answer) throws StageException {
        if (answer.statusCode() != probe.expectedStatus()) {
            throw wrong(
                    "status %d is expected, %d came".formatted(probe.expectedStatus(), answer.statusCode()), answer);
        }
        Optional<String> missing = firstMissing(probe, answer.body());
        if (missing.isPresent()) {
            throw wrong("\"%s\" is missing, or not in its place".formatted(missing.get()), answer);
        }
    }

    private static Optional<String> firstMissing(AnswerProbe probe, String body) {
        int from = 0;
        for (String token : probe.expectedTokens()) {
            int found = body.indexOf(token, from);
            if (found < 0) {
                return Optional.of(token);
            }
            from = found + token.length();
        }
        return Optional.empty();
    }

    private static StageException wrong(String why, HttpResponse<String> answer) {
        String body = answer.body();
        return new StageException(
                FailureCode.ANSWER_WRONG,
                "the process answers its recorded prompt wrongly: %s; it said: %s"
                        .formatted(why, body.length() > SHOWN ? body.substring(0, SHOWN) + "…" : body));
    }
}
