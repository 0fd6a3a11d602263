package io.gpusnap.node.client;

import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.RetryPolicy;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The node API over HTTP. Calls block; run them on a virtual thread. Every call has a deadline. All but the claim are
 * repeated a few times while the service is unavailable; a claim is not, because an answer that got lost may have been a
 * task, which comes back when its lease is over. Thread-safe.
 */
public final class NodeApiClient implements AutoCloseable {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(15);
    private static final Duration PEERS_TIMEOUT = Duration.ofSeconds(5);
    private static final RetryPolicy DEFAULT_RETRY = RetryPolicy.of(3, Duration.ofMillis(200));

    private final HttpClient http;
    private final URI service;
    private final JsonMapper json = JsonMapper.builder().build();
    private final Answers answers = new Answers(json);
    private final Retries retries;

    public NodeApiClient(URI service) {
        this(service, DEFAULT_RETRY);
    }

    NodeApiClient(URI service, RetryPolicy retry) {
        this.service = service;
        this.retries = new Retries(retry);
        this.http = HttpClient.newBuilder()
                .connectTimeout(CONNECT_TIMEOUT)
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .build();
    }

    public Session register(String accessToken, Registration registration)
            throws NodeApiException, InterruptedException {
        HttpRequest request = post("/node/v1/nodes", accessToken, registration, CALL_TIMEOUT);
        return retries.run(() -> answers.read(send(request), Session.class));
    }

    public HeartbeatAnswer heartbeat(Session session, Heartbeat heartbeat)
            throws NodeApiException, InterruptedException {
        HttpRequest request = post(node(session) + "/heartbeats", session.sessionToken(), heartbeat, CALL_TIMEOUT);
        return retries.run(() -> answers.read(sendInSession(request), HeartbeatAnswer.class));
    }

    /**
     * Waits at the service for work; empty when there was none in time.
     *
     * @param kinds of which there is room for more
     */
    public Optional<Task> claim(Session session, Set<OperationKind> kinds)
            throws NodeApiException, InterruptedException {
        Duration wait = Duration.ofSeconds(session.pollSeconds());
        HttpRequest request = builder(
                        node(session) + "/claims?waitSeconds=" + wait.toSeconds()
                                + kinds.stream()
                                        .sorted()
                                        .map(kind -> "&kinds=" + kind)
                                        .collect(Collectors.joining()),
                        session.sessionToken(),
                        wait.plus(CALL_TIMEOUT))
                .POST(HttpRequest.BodyPublishers.noBody())
                .build();
        HttpResponse<String> response = sendInSession(request);
        return response.statusCode() == 204 ? Optional.empty() : Optional.of(answers.read(response, Task.class));
    }

    /** Renews the lease. One attempt: the next report is due in a second anyway. */
    public ProgressAnswer progress(Session session, OperationId operation, ProgressReport report)
            throws NodeApiException, InterruptedException {
        HttpRequest request = post(operation(operation) + "/progress", session.sessionToken(), report, CALL_TIMEOUT);
        return answers.read(sendInSession(request), ProgressAnswer.class);
    }

    /** One attempt: what it tells only helps. */
    public PeersAnswer peers(Session session, OperationId operation) throws NodeApiException, InterruptedException {
        HttpRequest request = builder(operation(operation) + "/peers", session.sessionToken(), PEERS_TIMEOUT)
                .GET()
                .build();
        return answers.read(sendInSession(request), PeersAnswer.class);
    }

    /** Idempotent for one epoch and outcome. */
    public void complete(Session session, OperationId operation, Completion completion)
            throws NodeApiException, InterruptedException {
        HttpRequest request =
                post(operation(operation) + "/completion", session.sessionToken(), completion, CALL_TIMEOUT);
        retries.run(() -> {
            answers.check(sendInSession(request));
            return true;
        });
    }

    /** Ends calls that wait. */
    @Override
    public void close() {
        http.shutdownNow();
    }

    private static String node(Session session) {
        return "/node/v1/nodes/" + session.nodeId();
    }

    private static String operation(OperationId operation) {
        return "/node/v1/operations/" + operation;
    }

    private HttpRequest post(String path, String token, Record body, Duration timeout) {
        try {
            return builder(path, token, timeout)
                    .header("Content-Type", "application/json")
                    .POST(HttpRequest.BodyPublishers.ofString(json.writeValueAsString(body)))
                    .build();
        } catch (JacksonException e) {
            throw new IllegalStateException("cannot write " + body.getClass().getSimpleName() + " as JSON", e);
        }
    }

    private HttpRequest.Builder builder(String path, String token, Duration timeout) {
        return HttpRequest.newBuilder(URI.create(service + path))
                .timeout(timeout)
                .header("Authorization", "Bearer " + token)
                .header("Accept", "application/json, application/problem+json");
    }

    /** A session token that is not taken means that there is no such session, whatever else the service says of it. */
    private HttpResponse<String> sendInSession(HttpRequest request) throws NodeApiException, InterruptedException {
        HttpResponse<String> response = send(request);
        if (response.statusCode() == 401) {
            throw new NodeApiException.StaleSession("HTTP 401: the service does not take this session");
        }
        return response;
    }

    private HttpResponse<String> send(HttpRequest request) throws NodeApiException, InterruptedException {
        try {
            return http.send(request, HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new NodeApiException.Unavailable(service + " does not answer: " + why, e);
        }
    }
}
