package io.gpusnap.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OperationWatchTest {

    private static final String RUNNING = """
            {"id":"o1","kind":"SAVE","state":"RUNNING","stages":[
              {"name":"quiesce","state":"SUCCEEDED","startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:00.500Z"},
              {"name":"drain","state":"RUNNING","startedAt":"2026-01-01T00:00:00.5Z","bytesDone":1048576,"bytesTotal":2097152}]}
            """;
    private static final String SUCCEEDED = """
            {"id":"o1","kind":"SAVE","state":"SUCCEEDED","stages":[
              {"name":"quiesce","state":"SUCCEEDED","startedAt":"2026-01-01T00:00:00Z","finishedAt":"2026-01-01T00:00:00.500Z"},
              {"name":"drain","state":"SUCCEEDED","startedAt":"2026-01-01T00:00:00.5Z","finishedAt":"2026-01-01T00:00:01.5Z",
               "bytesDone":2097152,"bytesTotal":2097152}]}
            """;
    private static final String FAILED = """
            {"id":"o1","kind":"THAW","state":"FAILED","stages":[],
             "failure":{"code":"CHUNK_CORRUPT","stage":"verify","detail":"chunk ab12 is damaged"}}
            """;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Deque<String> answers = new ArrayDeque<>();
    private HttpServer server;
    private OperationWatch watch;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/api/v1/operations/o1", exchange -> {
            byte[] body = answers.pop().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        URI base = URI.create("http://127.0.0.1:" + server.getAddress().getPort());
        Terminal terminal = new Terminal(new PrintStream(out, true, StandardCharsets.UTF_8), false);
        watch = new OperationWatch(new ControlPlane(base, "secret"), terminal);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void everyStageIsPrintedOnceWithItsTimeAndRate() {
        answers.addAll(List.of(RUNNING, SUCCEEDED));

        watch.await("o1", 10);

        assertThat(out.toString(StandardCharsets.UTF_8).lines().map(String::strip))
                .containsExactly(
                        "quiesce             0.50 s", "drain               1.00 s      2.0 MiB      2.0 MiB/s");
    }

    @Test
    void aFailedOperationIsTheFailureWithItsCode() {
        answers.add(FAILED);

        assertThatThrownBy(() -> watch.await("o1", 10))
                .isInstanceOf(DemoFailure.class)
                .hasMessageContaining("THAW")
                .hasMessageContaining("verify")
                .hasMessageContaining("CHUNK_CORRUPT")
                .hasMessageContaining("chunk ab12 is damaged");
    }
}
