package io.gpusnap.node.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.gpusnap.node.operation.OperationId;
import io.gpusnap.node.operation.OperationKind;
import io.gpusnap.node.operation.RetryPolicy;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NodeApiClientTest {

    private record Answer(int status, String type, String body) {}

    private static final Set<OperationKind> KINDS = Set.of(OperationKind.THAW, OperationKind.SAVE);
    private static final Session SESSION = new Session("node-1", "session-token", 1, 5, 1, 30, null);
    private static final OperationId OPERATION = OperationId.random();
    private static final ProgressReport PROGRESS = new ProgressReport(1, List.of());
    private static final Completion COMPLETION =
            new Completion(1, Completion.Outcome.SUCCEEDED, List.of(), null, null, null, false);

    private final Deque<Answer> answers = new ArrayDeque<>();
    private final List<String> requests = new ArrayList<>();
    private final List<String> tokens = new ArrayList<>();
    private HttpServer server;
    private NodeApiClient client;

    @BeforeEach
    void startServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        client = new NodeApiClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()),
                new RetryPolicy(3, Duration.ofMillis(1), 0.5));
    }

    @AfterEach
    void stopServer() {
        client.close();
        server.stop(0);
    }

    @Test
    void everyCallCarriesItsTokenAndPath() throws Exception {
        answerJson(
                201,
                "{'nodeId':'n','sessionToken':'t','epoch':3,'heartbeatSeconds':5,'pollSeconds':20,'leaseSeconds':30}");
        answerJson(200, "{'serverTime':'2026-01-01T00:00:00Z','cancelOperations':[],'fencedOperations':[]}");
        answers.add(new Answer(204, "", ""));
        answerJson(200, "{'cancelRequested':true,'leaseUntil':'2026-01-01T00:00:00Z'}");
        answers.add(new Answer(204, "", ""));

        Session session = client.register("access", new Registration("node", UUID.randomUUID(), "1", null));
        client.heartbeat(SESSION, new Heartbeat(null, List.of(), List.of()));
        assertThat(client.claim(SESSION, KINDS)).isEmpty();
        assertThat(client.progress(SESSION, OPERATION, PROGRESS).cancelRequested())
                .isTrue();
        client.complete(SESSION, OPERATION, COMPLETION);

        assertThat(session).isEqualTo(new Session("n", "t", 3, 5, 20, 30, null));
        assertThat(session.toString()).doesNotContain("'t'");
        assertThat(requests)
                .containsExactly(
                        "POST /node/v1/nodes",
                        "POST /node/v1/nodes/node-1/heartbeats",
                        "POST /node/v1/nodes/node-1/claims?waitSeconds=1&kinds=SAVE&kinds=THAW",
                        "POST /node/v1/operations/" + OPERATION + "/progress",
                        "POST /node/v1/operations/" + OPERATION + "/completion");
        assertThat(tokens)
                .containsExactly(
                        "Bearer access",
                        "Bearer session-token",
                        "Bearer session-token",
                        "Bearer session-token",
                        "Bearer session-token");
    }

    @Test
    void aTaskIsReadWhateverElseIsInIt() throws Exception {
        UUID snapshot = UUID.randomUUID();
        answerJson(
                200,
                "{'operationId':'" + OPERATION + "','epoch':2,'attempt':1,'leaseUntil':'2026-01-01T00:00:00Z',"
                        + "'kind':'THAW','somethingNew':[1],'thaw':{'snapshotId':'" + snapshot
                        + "','engine':'suspend','manifestDigest':'ab','gpuRemap':{'0':'GPU-1'},"
                        + "'sources':[{'name':'s3','storeId':'" + snapshot + "'}]}}");

        Task task = client.claim(SESSION, KINDS).orElseThrow();

        assertThat(task.kind()).isEqualTo(OperationKind.THAW);
        assertThat(task.save()).isNull();
        assertThat(task.thaw())
                .isEqualTo(new Task.Thaw(
                        snapshot,
                        "suspend",
                        "ab",
                        Map.of(0, "GPU-1"),
                        null,
                        null,
                        List.of(new Task.TierRef("s3", snapshot))));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "401, STALE_SESSION,      StaleSession",
        "401, UNAUTHENTICATED,    StaleSession",
        "404, NODE_NOT_FOUND,     StaleSession",
        "409, STALE_EPOCH,        Fenced",
        "409, OPERATION_FINISHED, Fenced",
        "404, OPERATION_NOT_FOUND, Refused",
        "400, INVALID_REQUEST,    Refused",
        "429, TOO_MANY,           Unavailable",
        "500, INTERNAL,           Unavailable",
        "503, DATABASE_UNAVAILABLE, Unavailable",
    })
    void aProblemBecomesItsTypedError(int status, String code, String type) {
        answerProblem(status, code);

        assertThatThrownBy(() -> client.progress(SESSION, OPERATION, PROGRESS))
                .isInstanceOf(NodeApiException.class)
                .satisfies(e -> assertThat(e.getClass().getSimpleName()).isEqualTo(type));
    }

    @Test
    void aFencedOperationThatIsOverIsToldFromOneThatIsClaimedElsewhere() {
        answerProblem(409, "OPERATION_FINISHED");
        answerProblem(409, "STALE_EPOCH");
        assertThatThrownBy(() -> client.complete(SESSION, OPERATION, COMPLETION))
                .isInstanceOfSatisfying(
                        NodeApiException.Fenced.class, e -> assertThat(e.over()).isTrue());
        assertThatThrownBy(() -> client.complete(SESSION, OPERATION, COMPLETION))
                .isInstanceOfSatisfying(
                        NodeApiException.Fenced.class, e -> assertThat(e.over()).isFalse());
    }

    @Test
    void aWrongAccessTokenIsRefusedAndNotRetried() {
        answerProblem(401, "UNAUTHENTICATED");
        Registration registration = new Registration("node", UUID.randomUUID(), "1", null);
        assertThatThrownBy(() -> client.register("wrong", registration))
                .isInstanceOfSatisfying(
                        NodeApiException.Refused.class,
                        e -> assertThat(e.status()).isEqualTo(401));
        assertThat(requests).hasSize(1);
    }

    @Test
    void aServiceThatStumblesIsAskedAgainAFewTimes() throws Exception {
        answerProblem(503, "DATABASE_UNAVAILABLE");
        answers.add(new Answer(502, "text/html", "<html>proxy</html>"));
        answers.add(new Answer(204, "", ""));
        client.complete(SESSION, OPERATION, COMPLETION);
        assertThat(requests).hasSize(3);

        for (int i = 0; i < 3; i++) {
            answerProblem(503, "DATABASE_UNAVAILABLE");
        }
        assertThatThrownBy(() -> client.complete(SESSION, OPERATION, COMPLETION))
                .isInstanceOf(NodeApiException.Unavailable.class)
                .hasMessageContaining("DATABASE_UNAVAILABLE");
        assertThat(requests).hasSize(6);
    }

    @Test
    void aClaimIsNeverRepeatedBlindly() {
        answerProblem(500, "INTERNAL");
        assertThatThrownBy(() -> client.claim(SESSION, KINDS)).isInstanceOf(NodeApiException.Unavailable.class);
        assertThat(requests).hasSize(1);
    }

    @Test
    void anAnswerThatIsNoJsonCountsAsUnavailable() {
        answers.add(new Answer(200, "text/html", "<html>login page of a proxy</html>"));
        assertThatThrownBy(() -> client.progress(SESSION, OPERATION, PROGRESS))
                .isInstanceOf(NodeApiException.Unavailable.class)
                .hasMessageContaining("cannot be understood");
    }

    @Test
    void nobodyListeningCountsAsUnavailable() {
        server.stop(0);
        assertThatThrownBy(() -> client.progress(SESSION, OPERATION, PROGRESS))
                .isInstanceOf(NodeApiException.Unavailable.class)
                .hasMessageContaining("does not answer");
    }

    private void answerJson(int status, String json) {
        answers.add(new Answer(status, "application/json", json.replace('\'', '"')));
    }

    private void answerProblem(int status, String code) {
        answers.add(new Answer(
                status,
                "application/problem+json",
                "{\"status\":" + status + ",\"code\":\"" + code + "\",\"detail\":\"because\"}"));
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            requests.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            tokens.add(exchange.getRequestHeaders().getFirst("Authorization"));
            exchange.getRequestBody().readAllBytes();
            Answer answer = answers.remove();
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            if (!answer.type().isEmpty()) {
                exchange.getResponseHeaders().set("Content-Type", answer.type());
            }
            exchange.sendResponseHeaders(answer.status(), body.length == 0 ? -1 : body.length);
            exchange.getResponseBody().write(body);
        }
    }
}
