package io.gpusnap.service.platform.problem;

import static org.assertj.core.api.Assertions.assertThat;

import io.gpusnap.service.testing.Api;
import io.gpusnap.service.testing.Api.Reply;
import io.gpusnap.service.testing.ServiceTest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.beans.factory.annotation.Autowired;

@ServiceTest
class ProblemShapesTest {
    @Autowired
    private Api api;

    @ParameterizedTest(name = "{0}")
    @CsvSource(delimiter = '|', textBlock = """
            unknown path      | GET    | /api/v1/nothing                                         |                              | 404 | NOT_FOUND
            no such model     | GET    | /api/v1/models/none                                     |                              | 404 | MODEL_NOT_FOUND
            wrong method      | PUT    | /api/v1/models                                          |                              | 405 | METHOD_NOT_ALLOWED
            not a UUID        | GET    | /api/v1/nodes/1-1-1-1-1                                 |                              | 400 | INVALID_REQUEST
            unknown enum      | GET    | /api/v1/snapshots?state=BROKEN                          |                              | 400 | INVALID_REQUEST
            page too large    | GET    | /api/v1/models?pageSize=201                             |                              | 400 | INVALID_REQUEST
            page not a number | GET    | /api/v1/models?pageSize=ten                             |                              | 400 | INVALID_REQUEST
            broken JSON       | POST   | /api/v1/models                                          | {"name":                     | 400 | MALFORMED_JSON
            no body           | POST   | /api/v1/models                                          |                              | 400 | MALFORMED_JSON
            two documents     | POST   | /api/v1/models                                          | {"name":"a"} {}              | 400 | MALFORMED_JSON
            duplicate key     | POST   | /api/v1/models                                          | {"name":"a","name":"b"}      | 400 | MALFORMED_JSON
            number for text   | POST   | /api/v1/models                                          | {"name":7}                   | 400 | INVALID_REQUEST
            unknown field     | POST   | /api/v1/models                                          | {"name":"a","nmae":"b"}      | 400 | INVALID_REQUEST
            NUL in a filter   | GET    | /api/v1/snapshots?model=%00                             |                              | 400 | INVALID_REQUEST
            NUL in a name     | GET    | /api/v1/workloads?name=a%00b                            |                              | 400 | INVALID_REQUEST
            NUL in the body   | POST   | /api/v1/models                                          | {"name":"a","description":"\\u0000"} | 400 | INVALID_REQUEST
            encoded slash     | GET    | /api/v1/models/a%2Fb                                    |                              | 400 | INVALID_REQUEST
            """)
    void everyRefusalIsAProblemWithItsCode(
            String what, String method, String path, String body, int status, String code) {
        // given a caller with a token
        Api caller = api.once().with("Content-Type", "application/json");

        // when it asks for something that cannot be
        Reply reply = caller.send(method, path, BodyPublishers.ofString(body == null ? "" : body));

        // then it gets a problem with all its members
        assertThat(reply.status()).as(reply.text()).isEqualTo(status);
        assertThat(reply.code()).isEqualTo(code);
        assertThat(reply.json().path("status").asInt()).isEqualTo(status);
        assertThat(reply.json().path("type").asString()).isEqualTo("/errors/" + code);
        assertThat(reply.json().path("title").asString()).isNotBlank();
        assertThat(reply.json().path("detail").asString()).isNotBlank().doesNotContain("io.gpusnap", "tools.jackson");
        assertThat(reply.json().path("instance").asString())
                .isEqualTo(URI.create(path).getRawPath());
    }

    @Test
    void validationNamesEachPlaceByPointer() {
        Reply reply = api.once().post("/api/v1/models", Map.of("name", "Not A Label", "labels", Map.of("", "x")));

        assertThat(reply.code()).isEqualTo("INVALID_REQUEST");
        assertThat(reply.json()
                        .path("errors")
                        .valueStream()
                        .map(error -> error.path("pointer").asString()))
                .anySatisfy(pointer -> assertThat(pointer).isEqualTo("/name"))
                .anySatisfy(pointer -> assertThat(pointer).startsWith("/labels"));
    }

    @Test
    void anUnknownFieldIsNamedWithThoseThatAreKnown() {
        Reply reply = api.once().post("/api/v1/models", Map.of("name", "a", "nmae", "b"));

        assertThat(reply.json().at("/errors/0/pointer").asString()).isEqualTo("/nmae");
        assertThat(reply.json().at("/errors/0/detail").asString()).contains("description, labels, name");
    }

    @Test
    void malformedJsonIsLocated() {
        Reply reply = api.once().post("/api/v1/models", "{\n  \"name\": nonsense}");

        assertThat(reply.code()).isEqualTo("MALFORMED_JSON");
        assertThat(reply.json().path("detail").asString()).contains("line 2");
    }

    @Test
    void aMethodThatIsNotThereAnswersWithAllow() {
        Reply reply = api.send("PUT", "/api/v1/models", BodyPublishers.noBody());

        assertThat(reply.status()).isEqualTo(405);
        assertThat(reply.header("Allow")).contains("GET", "POST");
    }

    @Test
    void anotherMediaTypeIsRefusedBothWays() {
        assertThat(api.once()
                        .with("Content-Type", "text/plain")
                        .post("/api/v1/models", "x")
                        .code())
                .isEqualTo("UNSUPPORTED_MEDIA_TYPE");
        assertThat(api.with("Accept", "text/xml").get("/api/v1/models").code()).isEqualTo("NOT_ACCEPTABLE");
    }

    @Test
    void aBodyThatSaysItIsTooLargeIsRefusedUnread() {
        Reply reply = api.once().post("/api/v1/models", Map.of("name", "a", "description", "x".repeat(70_000)));

        assertThat(reply.code()).isEqualTo("PAYLOAD_TOO_LARGE");
    }

    @Test
    void aBodyThatTurnsOutTooLargeIsRefusedOnTheWay() {
        // given a body that does not say its length
        byte[] body =
                ("{\"name\":\"a\",\"description\":\"" + "x".repeat(70_000) + "\"}").getBytes(StandardCharsets.UTF_8);

        // when it is sent in chunks
        Reply reply = api.once()
                .with("Content-Type", "application/json")
                .send("POST", "/api/v1/models", BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body)));

        // then
        assertThat(reply.code()).isEqualTo("PAYLOAD_TOO_LARGE");
    }

    @Test
    void aRequestThatTheServerCannotParseIsAProblemToo() throws IOException {
        URI base = URI.create(api.base());
        try (Socket socket = new Socket(base.getHost(), base.getPort())) {
            socket.getOutputStream()
                    .write("GET /api/v1/models?x=[}| HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(answer).startsWith("HTTP/1.1 400").contains("application/problem+json", "INVALID_REQUEST");
            assertThat(answer).doesNotContain("Tomcat");
        }
    }

    @Test
    void aBodyThatStopsArrivingIsATimeout() throws IOException {
        URI base = URI.create(api.base());
        try (Socket socket = new Socket(base.getHost(), base.getPort())) {
            socket.getOutputStream()
                    .write(
                            ("POST /api/v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                                            + "Idempotency-Key: \"slow\"\r\nContent-Length: 100\r\nAuthorization: Bearer "
                                            + api.token()
                                            + "\r\n\r\n{\"name\":")
                                    .getBytes(StandardCharsets.US_ASCII));
            String answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            assertThat(answer).startsWith("HTTP/1.1 408").contains("REQUEST_TIMEOUT");
        }
    }

    @Test
    void theTypeOfAProblemLeadsToItsExplanation() {
        Reply reply = api.get("/api/v1/models/none");

        Reply explained = api.anonymous().get(reply.json().path("type").asString());

        assertThat(explained.status()).isEqualTo(200);
        assertThat(explained.json().path("advice").asString()).isEqualTo(ErrorCode.MODEL_NOT_FOUND.advice());
    }
}
