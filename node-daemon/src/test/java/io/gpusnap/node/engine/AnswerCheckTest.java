package io.gpusnap.node.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import io.gpusnap.node.operation.FailureCode;
import io.gpusnap.node.operation.StageException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AnswerCheckTest {
    private HttpServer server;
    private volatile String asked = "";

    @BeforeEach
    void givenAServerThatAnswers() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/answer", exchange -> {
            asked = exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            byte[] body = "{\"tokens\":[\"the\",\"cat\",\"sat\"]}".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private int port() {
        return server.getAddress().getPort();
    }

    private static AnswerProbe probe(String path, Optional<String> body, String... tokens) {
        return new AnswerProbe(
                Optional.empty(), path, body, "application/json", 200, List.of(tokens), Duration.ofSeconds(10));
    }

    private StageException refused(AnswerProbe probe) {
        return catchThrowableOfType(StageException.class, () -> AnswerCheck.ask(probe, "127.0.0.1", port()));
    }

    @Test
    void theExpectedTokensInTheirOrderAreARightAnswer() {
        assertThatCode(() -> AnswerCheck.ask(
                        probe("/answer?prompt=a", Optional.empty(), "the", "cat", "sat"), "127.0.0.1", port()))
                .doesNotThrowAnyException();
        assertThat(asked).isEqualTo("GET /answer?prompt=a ");
    }

    @Test
    void aRecordedBodyIsPosted() {
        assertThatCode(() -> AnswerCheck.ask(probe("/answer", Optional.of("{\"p\":1}"), "cat"), "127.0.0.1", port()))
                .doesNotThrowAnyException();
        assertThat(asked).isEqualTo("POST /answer {\"p\":1}");
    }

    @Test
    void anotherTokenOrAnotherOrderIsAWrongAnswerWithBothSidesNamed() {
        StageException other = refused(probe("/answer", Optional.empty(), "dog"));
        StageException order = refused(probe("/answer", Optional.empty(), "sat", "cat"));

        assertThat(other.code()).isEqualTo(FailureCode.ANSWER_WRONG);
        assertThat(other.detail()).contains("\"dog\"", "cat");
        assertThat(order.detail()).contains("\"cat\" is missing, or not in its place");
    }

    @Test
    void anotherStatusIsAWrongAnswer() {
        assertThat(refused(probe("/nothing", Optional.empty())).detail()).contains("status 200 is expected, 404 came");
    }

    @Test
    void nobodyThereIsNoAnswer() throws IOException {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        AnswerProbe probe = new AnswerProbe(
                Optional.empty(), "/", Optional.empty(), "text/plain", 200, List.of(), Duration.ofMillis(300));

        StageException refused =
                catchThrowableOfType(StageException.class, () -> AnswerCheck.ask(probe, "127.0.0.1", free));

        assertThat(refused.code()).isEqualTo(FailureCode.ANSWER_WRONG);
        assertThat(refused.detail()).contains("no answer on port " + free);
    }
}
